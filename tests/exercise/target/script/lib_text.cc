// lib_text.cc - methods of strings and bytes.
#include <algorithm>
#include <cstring>

#include "lib.h"

const Method *String::methods() const { return kStringMethods; }
const Method *Bytes::methods() const { return kBytesMethods; }

static Value changeCase(Interp &vm, const std::string &chars, char first, char last)
{
	std::string out = chars;

	for (char &c : out)
		if (c >= first && c <= last)
			c = static_cast<char>(c ^ 32);
	return vm.string(out);
}

static Value stringLength(Interp &, Value self, Args &)
{
	return Value(static_cast<double>(need<String>(self, "length").chars.size()));
}

static Value stringUpper(Interp &vm, Value self, Args &)
{
	return changeCase(vm, need<String>(self, "upper").chars, 'a', 'z');
}

static Value stringLower(Interp &vm, Value self, Args &)
{
	return changeCase(vm, need<String>(self, "lower").chars, 'A', 'Z');
}

static Value stringFind(Interp &, Value self, Args &args)
{
	size_t at = need<String>(self, "find").chars.find(args[0].text());

	return Value(at == std::string::npos ? -1.0 : static_cast<double>(at));
}

static Value stringSlice(Interp &vm, Value self, Args &args)
{
	const std::string &chars = need<String>(self, "slice").chars;
	int size = static_cast<int>(chars.size());
	int from = args.integer(0, 0), to = args.integer(1, size);

	from = std::max(0, from < 0 ? from + size : from);
	to = std::min(size, to < 0 ? to + size : to);
	return vm.string(from < to ? chars.substr(static_cast<size_t>(from), static_cast<size_t>(to - from)) : "");
}

static Value stringRepeat(Interp &vm, Value self, Args &args)
{
	const std::string &chars = need<String>(self, "repeat").chars;
	int times = args.integer(0, 1);
	std::string out;

	if (times > 0 && chars.size() * static_cast<size_t>(times) > 1 << 16)
		throw ScriptError("the string is too long");
	for (int i = 0; i < times && !chars.empty(); i++)
		out += chars;
	return vm.string(out);
}

static Value stringSplit(Interp &vm, Value self, Args &args)
{
	const std::string &chars = need<String>(self, "split").chars;
	std::string by = args[0].text();
	List *out = vm.heap().make<List>();
	size_t from = 0, to;

	while (!by.empty() && (to = chars.find(by, from)) != std::string::npos) {
		out->append(vm.string(chars.substr(from, to - from)));
		from = to + by.size();
	}
	out->append(vm.string(chars.substr(from)));
	return Value(out);
}

static Value stringCode(Interp &, Value self, Args &args)
{
	const std::string &chars = need<String>(self, "code").chars;
	int i = args.integer(0, 0);

	if (i < 0 || static_cast<size_t>(i) >= chars.size())
		return Value();
	return Value(static_cast<unsigned char>(chars[static_cast<size_t>(i)]));
}

static Value bytesFill(Interp &, Value self, Args &args)
{
	Bytes &bytes = need<Bytes>(self, "fill");

	if (bytes.size > 0)
		memset(bytes.data, args.integer(0, 0) & 255, bytes.size);
	return self;
}

static Value bytesText(Interp &vm, Value self, Args &)
{
	return vm.string(need<Bytes>(self, "text").text());
}

static Value bytesSum(Interp &, Value self, Args &)
{
	Bytes &bytes = need<Bytes>(self, "sum");
	double sum = 0;

	for (size_t i = 0; i < bytes.size; i++)
		sum += bytes.data[i];
	return Value(sum);
}

// Give the memory back early; the object is empty then.
static Value bytesRelease(Interp &, Value self, Args &)
{
	need<Bytes>(self, "release").release();
	return Value();
}

const Method kStringMethods[] = {
	{ "length", stringLength }, { "upper", stringUpper }, { "lower", stringLower },
	{ "find", stringFind },     { "slice", stringSlice }, { "repeat", stringRepeat },
	{ "split", stringSplit },   { "code", stringCode },   { nullptr, nullptr },
};

const Method kBytesMethods[] = {
	{ "fill", bytesFill }, { "text", bytesText }, { "sum", bytesSum }, { "release", bytesRelease },
	{ nullptr, nullptr },
};
