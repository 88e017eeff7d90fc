// grid.h - a small sheet of cells for scripts that compute tables.
#ifndef GAZETTE_GRID_H
#define GAZETTE_GRID_H

#include "interp.h"

class Cell {
public:
	virtual ~Cell() {}
	virtual Value value(Interp &vm) const = 0;
	virtual std::string format(size_t width) const = 0;
};

class Grid : public Object {
public:
	static const Type kType = Type::Grid;
	static const int kMost = 64;
	static const int kCaption = 40;

	explicit Grid(int count);
	~Grid() override;
	const char *typeName() const override { return "grid"; }
	bool getField(const std::string &name, Value &out) const override;
	void setField(const std::string &name, const Value &value) override;
	const Method *methods() const override;

	void put(int i, const Value &value);
	Value cell(Interp &vm, int i) const;
	std::string format(int i, size_t width) const;
	bool clear(int i);
	double sum(int from, int to) const;

	int count() const { return count_; }
	const char *caption() const { return caption_; }

private:
	int count_;
	char caption_[kCaption];
	Cell *cells_[kMost];
};

#endif
