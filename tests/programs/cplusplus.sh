#!/bin/bash
# g++ compiles and links with ld, plainly, as a position-dependent program, statically, and with link-time optimisation.
# time: 600
set -eu
cat >program.cc <<'C'
#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <thread>
#include <vector>
int main()
{
	std::map<std::string, int> m;
	for (int i = 0; i < 99; i++) m[std::to_string(i)] = i;
	std::vector<int> v; for (auto &x : m) v.push_back(x.second);
	std::sort(v.begin(), v.end(), [](int a, int b) { return a % 10 < b % 10 || (a % 10 == b % 10 && a < b); });
	for (int x : v) std::cout << x << ' ';
	try { std::regex r("("); } catch (const std::regex_error &e) { std::cout << "refused\n"; }
	int sum = 0; std::thread t([&] { sum = 42; }); t.join(); std::cout << sum << '\n';
}
C
for options in "-O2" "-O0 -no-pie -fno-pie" "-O2 -static" "-O2 -flto" "-O2 -Wl,-O2,--gc-sections,--icf=none,-z,now -ffunction-sections"; do
	$WRAP g++ $options program.cc -o program 2>link.log || { echo "failed: $options"; cat link.log; continue; }
	sha256sum <program
	./program
done
$WRAP nm -C program | wc -l
$WRAP objdump -d program | sha256sum
$WRAP strip program -o stripped && sha256sum <stripped
echo 'int main() { return missing(); }' >wrong.cc
status=0
$WRAP g++ wrong.cc 2>&1 || status=$?
echo "status $status"
echo ok
