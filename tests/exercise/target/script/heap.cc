// heap.cc - mark and sweep (see heap.h).
#include "heap.h"

#include <algorithm>

Heap::~Heap()
{
	while (first_ != nullptr) {
		Object *next = first_->next_;

		delete first_;
		first_ = next;
	}
}

void Heap::add(Object *object)
{
	object->next_ = first_;
	first_ = object;
	live_++;
}

void Heap::mark(Object *object)
{
	if (object != nullptr && !object->marked_) {
		object->marked_ = true;
		grey_.push_back(object);
	}
}

void Heap::sweep()
{
	while (!grey_.empty()) {
		Object *object = grey_.back();

		grey_.pop_back();
		object->trace(*this);
	}
	for (Object **at = &first_; *at != nullptr;) {
		Object *object = *at;

		if (object->marked_) {
			object->marked_ = false;
			at = &object->next_;
		} else {
			*at = object->next_;
			delete object;
			live_--;
		}
	}
	due_ = std::max(least_, live_ / 100 * growth_);
	collections_++;
}
