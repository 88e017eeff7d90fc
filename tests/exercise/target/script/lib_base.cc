// lib_base.cc - the functions every script can use.
#include <cmath>
#include <cstdlib>

#include "canvas.h"
#include "grid.h"
#include "lib.h"

static Value basePrint(Interp &vm, Value, Args &args)
{
	for (size_t i = 0; i < args.size(); i++)
		vm.print((i ? " " : "") + args[i].text());
	vm.print("\n");
	return Value();
}

static Value baseType(Interp &vm, Value, Args &args)
{
	return vm.string(args[0].typeName());
}

static Value baseStr(Interp &vm, Value, Args &args)
{
	return vm.string(args[0].text());
}

static Value baseNum(Interp &, Value, Args &args)
{
	const String *s = as<String>(args[0]);

	if (args[0].isNumber())
		return args[0];
	return s ? Value(strtod(s->chars.c_str(), nullptr)) : Value();
}

static Value baseFloor(Interp &, Value, Args &args)
{
	return Value(std::floor(args.number(0, 0)));
}

static Value baseSqrt(Interp &, Value, Args &args)
{
	return Value(std::sqrt(args.number(0, 0)));
}

static Value baseAbs(Interp &, Value, Args &args)
{
	return Value(std::fabs(args.number(0, 0)));
}

static Value baseMin(Interp &, Value, Args &args)
{
	double least = args.number(0, 0);

	for (size_t i = 1; i < args.size(); i++)
		least = std::fmin(least, args.number(i, 0));
	return Value(least);
}

static Value baseMax(Interp &, Value, Args &args)
{
	double most = args.number(0, 0);

	for (size_t i = 1; i < args.size(); i++)
		most = std::fmax(most, args.number(i, 0));
	return Value(most);
}

static Value baseTime(Interp &vm, Value, Args &args)
{
	return Value(vm.heap().make<Time>(args.number(0, 0), args.number(1, 0)));
}

static Value baseRange(Interp &vm, Value, Args &args)
{
	return Value(vm.heap().make<Range>(args.number(0, 0), args.number(1, 0), args.number(2, 1)));
}

// bytes(8): so many zeros; bytes("text"): the text's
static Value baseBytes(Interp &vm, Value, Args &args)
{
	const String *s = as<String>(args[0]);
	int size = s ? static_cast<int>(s->chars.size()) : args.integer(0, 0);

	if (size < 0 || size > 1 << 20)
		throw ScriptError("that many bytes are too many");
	Bytes *bytes = vm.heap().make<Bytes>(static_cast<size_t>(size));
	for (int i = 0; s && i < size; i++)
		bytes->data[i] = static_cast<unsigned char>(s->chars[static_cast<size_t>(i)]);
	return Value(bytes);
}

static Value baseGrid(Interp &vm, Value, Args &args)
{
	int cells = args.integer(0, Grid::kMost);

	if (cells < 1 || cells > Grid::kMost)
		throw ScriptError("a grid has from 1 to 64 cells");
	return Value(vm.heap().make<Grid>(cells));
}

static Value baseCanvas(Interp &vm, Value, Args &args)
{
	int width = args.integer(0, 32), height = args.integer(1, 8);

	if (width < 1 || width > Canvas::kWidth || height < 1 || height > Canvas::kHeight)
		throw ScriptError("a canvas is at most 64 by 32");
	return Value(vm.heap().make<Canvas>(width, height));
}

void defineBase(Interp &vm)
{
	static const Method functions[] = {
		{ "print", basePrint }, { "type", baseType },   { "str", baseStr },     { "num", baseNum },
		{ "floor", baseFloor }, { "sqrt", baseSqrt },   { "abs", baseAbs },     { "min", baseMin },
		{ "max", baseMax },     { "time", baseTime },   { "range", baseRange }, { "bytes", baseBytes },
		{ "grid", baseGrid },   { "canvas", baseCanvas },
	};

	for (const Method &function : functions)
		vm.define(function.name, function.run);
}
