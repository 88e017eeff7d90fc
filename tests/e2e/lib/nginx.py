"""An nginx of our own on loopback: unprivileged port, its files in one folder, two workers; and a load on it that counts every failed request."""
import http.client, os, signal, socket, subprocess, threading, time

CONFIGURATION = """worker_processes {workers}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{ access_log off; keepalive_requests 1000000000; default_type text/plain;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  gzip on; gzip_min_length 100; gzip_types text/plain;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; location ~ ^/re/(\\d+)$ {{ return 200 "n$1"; }} }} }}
"""
USER = "user root;\n"
PAGE = "".join("line %d of the page\n" % i for i in range(60)).encode()
DEADLINE = 60.0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    def __init__(self, folder, prefix=(), workers=2):
        self.folder, self.port = folder, free_port()
        os.makedirs(folder + "/www", exist_ok=True)
        os.chmod(folder, 0o755)
        with open(folder + "/www/page.txt", "wb") as f:
            f.write(PAGE)
        with open(folder + "/nginx.conf", "w") as f:
            f.write((USER if os.geteuid() == 0 else "") + CONFIGURATION.format(folder=folder, port=self.port, workers=workers))
        self.child = subprocess.Popen([*prefix, "/usr/sbin/nginx", "-p", folder, "-c", folder + "/nginx.conf"], stdin=subprocess.DEVNULL,
                                      stdout=open(folder + "/log", "wb"), stderr=subprocess.STDOUT)

    def get(self, path="/page.txt", **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request("GET", path, headers=headers)
            answer = c.getresponse()
            return answer.status, answer.read()
        finally:
            c.close()

    def wait_ready(self, seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                return self.get() == (200, PAGE)
            except OSError:
                time.sleep(0.02)
        return False

    def master(self):
        with open(self.folder + "/nginx.pid") as f:
            return int(f.read())

    def workers(self):
        with open("/proc/%d/task/%d/children" % (self.master(), self.master())) as f:
            return sorted(map(int, f.read().split()))

    def signal(self, number):
        os.kill(self.master(), number)

    def stop(self):
        """Graceful end; the exit status of what was started (nginx, or its supervisor)."""
        try:
            self.signal(signal.SIGQUIT)
        except (OSError, ValueError):
            self.child.terminate()
        return self.child.wait(DEADLINE)


class Load:
    """Clients that ask all the time, each over a connection of its own that is kept, or opened for each request."""
    def __init__(self, nginx, clients=4, keep=True):
        self.nginx, self.keep, self.requests, self.failed, self.slowest, self.ending = nginx, keep, 0, [], 0.0, threading.Event()
        self.lock, self.threads = threading.Lock(), [threading.Thread(target=self.client, args=(n,), daemon=True) for n in range(clients)]
        for t in self.threads:
            t.start()

    def once(self, connection, number):
        path, want = ("/page.txt", PAGE) if number % 3 else ("/re/%d" % number, b"n%d" % number)
        connection.request("GET", path)
        answer = connection.getresponse()
        got = answer.read()
        if answer.status != 200 or got != want:
            raise OSError("%s: status %d, %d bytes" % (path, answer.status, len(got)))

    def client(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.nginx.port, timeout=20)
        while not self.ending.is_set():
            started = time.monotonic()
            try:
                self.once(connection, number)
                problem = None
            except (OSError, http.client.HTTPException) as e:
                problem = "%s: %r" % (time.strftime("%T"), e)
            if problem or not self.keep:
                connection.close()
            with self.lock:
                self.requests += 1
                self.slowest = max(self.slowest, time.monotonic() - started)
                if problem:
                    self.failed.append(problem)
            number += 1

    def wait_requests(self, more, seconds=DEADLINE):
        """Until that many more requests were answered."""
        wanted, deadline = self.requests + more, time.monotonic() + seconds
        while self.requests < wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.requests >= wanted

    def stop(self):
        self.ending.set()
        for t in self.threads:
            t.join()
        return self.requests, self.failed
