#!/bin/bash
# ffmpeg: hand-written vector code in filters, encoders and decoders, with threads; the same frames as natively.
# time: 600
# packages: ffmpeg
set -eu
source="-f lavfi -i testsrc=size=320x240:rate=10:duration=2 -f lavfi -i sine=duration=2"
$WRAP ffmpeg -v error $source -vf scale=200:100,hqdn3d,yadif -c:v mpeg4 -c:a aac -threads 2 -bitexact -f framemd5 -
$WRAP ffmpeg -v error $source -c:v libx264 -preset medium -threads 2 -c:a libmp3lame -bitexact -f matroska -y film.mkv
$WRAP ffmpeg -v error -i film.mkv -threads 2 -bitexact -f framemd5 -
$WRAP ffmpeg -v error $source -c:v libvpx-vp9 -threads 2 -deadline realtime -c:a libopus -bitexact -f framemd5 -
$WRAP ffmpeg -v error $source -c:v ffv1 -c:a flac -bitexact -f framemd5 - | sha256sum
echo ok
