// heap.h - all objects of one page, and the collector that frees those no longer reachable.
//
// A collection only ever runs between two statements of a script. What C++ code holds across a call
// into a script has to be in a Hold or in Args; whatever is created and used up in between needs none.
#ifndef GAZETTE_HEAP_H
#define GAZETTE_HEAP_H

#include <vector>

#include "object.h"

class Heap {
public:
	Heap(unsigned objects, unsigned growth) : first_(nullptr), live_(0), due_(objects),
		least_(objects), growth_(growth), collections_(0) {}
	~Heap();

	template <class T, class... A> T *make(A &&...args)
	{
		T *object = new T(static_cast<A &&>(args)...);

		add(object);
		return object;
	}

	bool due() const { return live_ >= due_; }
	unsigned collections() const { return collections_; }

	// A collection: begin, mark the roots, end.
	void mark(const Value &value) { if (value.isObject()) mark(value.ref); }
	void mark(Object *object);
	void sweep();

private:
	void add(Object *object);

	Object *first_;
	std::vector<Object *> grey_;
	unsigned live_, due_, least_, growth_, collections_;
};

#endif
