// canvas.cc - drawing with characters (see canvas.h).
#include "canvas.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

class SolidBrush : public Brush {
public:
	explicit SolidBrush(char c) : mark_(c) {}
	char mark(int, int) const override { return mark_; }

private:
	char mark_;
};

class CheckerBrush : public Brush {
public:
	CheckerBrush(char even, char odd) : even_(even), odd_(odd) {}
	char mark(int x, int y) const override { return (x + y) % 2 ? odd_ : even_; }

private:
	char even_, odd_;
};

Canvas::Canvas(int width, int height)
	: Object(kType), brush_(new SolidBrush('#')), width_(width), height_(height)
{
	memset(ink_, ' ', sizeof ink_);
}

Canvas::~Canvas()
{
	delete brush_;
}

void Canvas::take(Brush *brush)
{
	delete brush_;
	brush_ = brush;
}

void Canvas::dot(int x, int y)
{
	if (x >= 0 && x < width_ && y >= 0 && y < height_)
		ink_[y][x] = brush_->mark(x, y);
}

void Canvas::line(int x0, int y0, int x1, int y1)
{
	int steps = std::min(std::max(std::abs(x1 - x0), std::abs(y1 - y0)), 4096);

	for (int i = 0; i <= steps; i++)
		dot(x0 + (x1 - x0) * i / std::max(steps, 1), y0 + (y1 - y0) * i / std::max(steps, 1));
}

void Canvas::fill(int x0, int y0, int x1, int y1)
{
	for (int y = std::max(y0, 0); y < std::min(y1, height_); y++)
		for (int x = std::max(x0, 0); x < std::min(x1, width_); x++)
			dot(x, y);
}

std::string Canvas::text() const
{
	std::string out;

	for (int y = 0; y < height_; y++)
		out += std::string(ink_[y], static_cast<size_t>(width_)) + "\n";
	return out;
}

bool Canvas::getField(const std::string &name, Value &out) const
{
	if (name == "width")
		out = Value(width_);
	else if (name == "height")
		out = Value(height_);
	else
		return false;
	return true;
}

// Drawings are made of many dots: this one is kept short.
static Value canvasDot(Interp &, Value self, Args &args)
{
	static_cast<Canvas *>(self.ref)->dot(args.integer(0, 0), args.integer(1, 0));
	return self;
}

static int coordinate(Args &args, size_t i)
{
	return std::min(std::max(args.integer(i, 0), -4096), 4096);
}

static Value canvasLine(Interp &, Value self, Args &args)
{
	need<Canvas>(self, "line").line(coordinate(args, 0), coordinate(args, 1), coordinate(args, 2),
					coordinate(args, 3));
	return self;
}

static Value canvasFill(Interp &, Value self, Args &args)
{
	need<Canvas>(self, "fill").fill(coordinate(args, 0), coordinate(args, 1), coordinate(args, 2),
					coordinate(args, 3));
	return self;
}

// brush("#"), or brush("#", ".") for a pattern
static Value canvasBrush(Interp &, Value self, Args &args)
{
	Canvas &canvas = need<Canvas>(self, "brush");
	std::string even = args[0].text(), odd = args.size() > 1 ? args[1].text() : "";

	if (even.empty())
		throw ScriptError("a brush needs a character");
	if (odd.empty())
		canvas.take(new SolidBrush(even[0]));
	else
		canvas.take(new CheckerBrush(even[0], odd[0]));
	return self;
}

static Value canvasShow(Interp &vm, Value self, Args &)
{
	return vm.string(need<Canvas>(self, "show").text());
}

const Method *Canvas::methods() const
{
	static const Method methods[] = {
		{ "dot", canvasDot },     { "line", canvasLine }, { "fill", canvasFill },
		{ "brush", canvasBrush }, { "show", canvasShow }, { nullptr, nullptr },
	};

	return methods;
}
