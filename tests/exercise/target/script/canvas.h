// canvas.h - drawing with characters.
#ifndef GAZETTE_CANVAS_H
#define GAZETTE_CANVAS_H

#include "interp.h"

// What a point looks like when it is drawn.
class Brush {
public:
	virtual ~Brush() {}
	virtual char mark(int x, int y) const = 0;
};

class Canvas : public Object {
public:
	static const Type kType = Type::Canvas;
	static const int kWidth = 64, kHeight = 32;

	Canvas(int width, int height);
	~Canvas() override;
	const char *typeName() const override { return "canvas"; }
	std::string text() const override;
	bool getField(const std::string &name, Value &out) const override;
	const Method *methods() const override;

	void take(Brush *brush);
	void dot(int x, int y);
	void line(int x0, int y0, int x1, int y1);
	void fill(int x0, int y0, int x1, int y1);

private:
	Brush *brush_;
	int width_, height_;
	char ink_[kHeight][kWidth];
};

#endif
