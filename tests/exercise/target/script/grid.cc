// grid.cc - a small sheet of cells (see grid.h).
#include "grid.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

static std::string padded(const std::string &text, size_t width, bool right)
{
	if (text.size() >= width)
		return text;
	std::string space(width - text.size(), ' ');
	return right ? space + text : text + space;
}

class NumberCell : public Cell {
public:
	explicit NumberCell(double n) : number_(n) {}
	Value value(Interp &) const override { return Value(number_); }
	std::string format(size_t width) const override { return padded(numberText(number_), width, true); }

private:
	double number_;
};

class TextCell : public Cell {
public:
	explicit TextCell(const std::string &t) : text_(t) {}
	Value value(Interp &vm) const override { return vm.string(text_); }
	std::string format(size_t width) const override { return padded(text_, width, false); }

private:
	std::string text_;
};

Grid::Grid(int count) : Object(kType), count_(count), caption_(), cells_()
{
}

Grid::~Grid()
{
	for (Cell *cell : cells_)
		delete cell;
}

bool Grid::getField(const std::string &name, Value &out) const
{
	if (name != "cells")
		return false;
	out = Value(count_);
	return true;
}

void Grid::setField(const std::string &name, const Value &value)
{
	const String *text = as<String>(value);

	if (name != "caption" || text == nullptr)
		return Object::setField(name, value);
	memset(caption_, 0, sizeof caption_);
	memcpy(caption_, text->chars.data(), std::min(text->chars.size(), sizeof caption_ - 1));
}

void Grid::put(int i, const Value &value)
{
	if (i < 0 || i >= count_)
		throw ScriptError("the grid has no cell " + std::to_string(i));
	delete cells_[i];
	cells_[i] = nullptr;
	if (value.isNumber())
		cells_[i] = new NumberCell(value.number);
	else
		cells_[i] = new TextCell(value.text());
}

Value Grid::cell(Interp &vm, int i) const
{
	if (i >= count_ || cells_[i] == nullptr)
		return Value();
	return cells_[i]->value(vm);
}

std::string Grid::format(int i, size_t width) const
{
	if (i >= count_ || cells_[i] == nullptr)
		return std::string(width, ' ');
	return cells_[i]->format(width);
}

bool Grid::clear(int i)
{
	if (i >= count_ || cells_[i] == nullptr)
		return false;
	delete cells_[i];
	cells_[i] = nullptr;
	return true;
}

double Grid::sum(int from, int to) const
{
	double sum = 0;

	for (int i = std::max(from, 0); i < std::min(to, count_); i++)
		if (const NumberCell *number = dynamic_cast<const NumberCell *>(cells_[i]))
			sum += strtod(number->format(0).c_str(), nullptr);
	return sum;
}

static Value gridPut(Interp &, Value self, Args &args)
{
	need<Grid>(self, "put").put(args.integer(0, 0), args[1]);
	return self;
}

static Value gridCell(Interp &vm, Value self, Args &args)
{
	return need<Grid>(self, "cell").cell(vm, args.integer(0, 0));
}

static Value gridFormat(Interp &vm, Value self, Args &args)
{
	int width = std::min(std::max(args.integer(1, 8), 0), 200);

	return vm.string(need<Grid>(self, "format").format(args.integer(0, 0), static_cast<size_t>(width)));
}

static Value gridClear(Interp &, Value self, Args &args)
{
	return Value(need<Grid>(self, "clear").clear(args.integer(0, 0)));
}

static Value gridSum(Interp &, Value self, Args &args)
{
	Grid &grid = need<Grid>(self, "sum");

	return Value(grid.sum(args.integer(0, 0), args.integer(1, grid.count())));
}

// The whole sheet as lines of so many columns.
static Value gridShow(Interp &vm, Value self, Args &args)
{
	Grid &grid = need<Grid>(self, "show");
	int columns = std::max(args.integer(0, 4), 1);
	std::string out = grid.caption();

	out += out.empty() ? "" : "\n";
	for (int i = 0; i < grid.count(); i++)
		out += grid.format(i, 8) + ((i + 1) % columns ? " " : "\n");
	return vm.string(out);
}

const Method *Grid::methods() const
{
	static const Method methods[] = {
		{ "put", gridPut },     { "cell", gridCell }, { "format", gridFormat },
		{ "clear", gridClear }, { "sum", gridSum },   { "show", gridShow },
		{ nullptr, nullptr },
	};

	return methods;
}
