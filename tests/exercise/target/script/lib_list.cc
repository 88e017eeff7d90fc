// lib_list.cc - methods of lists.
#include <algorithm>

#include "lib.h"

const Method *List::methods() const { return kListMethods; }

static Value listPush(Interp &, Value self, Args &args)
{
	List &list = need<List>(self, "push");

	for (size_t i = 0; i < args.size(); i++)
		list.append(args[i]);
	return Value(static_cast<double>(list.items.size()));
}

static Value listPop(Interp &, Value self, Args &)
{
	List &list = need<List>(self, "pop");
	Value last;

	if (!list.items.empty()) {
		last = list.items.back();
		list.items.pop_back();
	}
	return last;
}

static Value listAt(Interp &, Value self, Args &args)
{
	List &list = need<List>(self, "at");

	return list.items[list.place(args[0])];
}

static Value listJoin(Interp &vm, Value self, Args &args)
{
	List &list = need<List>(self, "join");
	std::string between = args.size() ? args[0].text() : "", out;

	for (size_t i = 0; i < list.items.size() && out.size() < 1 << 20; i++)
		out += (i ? between : "") + list.items[i].text();
	return vm.string(out);
}

static Value listSlice(Interp &vm, Value self, Args &args)
{
	List &list = need<List>(self, "slice");
	int size = static_cast<int>(list.items.size());
	int from = args.integer(0, 0), to = args.integer(1, size);
	List *out = vm.heap().make<List>();

	from = std::max(0, from < 0 ? from + size : from);
	to = std::min(size, to < 0 ? to + size : to);
	for (int i = from; i < to; i++)
		out->append(list.items[static_cast<size_t>(i)]);
	return Value(out);
}

static Value listReverse(Interp &, Value self, Args &)
{
	List &list = need<List>(self, "reverse");

	std::reverse(list.items.begin(), list.items.end());
	return self;
}

static Value callWithItem(Interp &vm, const Value &function, const Value &item, size_t index)
{
	Args args(vm, { item, Value(static_cast<double>(index)) });

	return vm.call(function, Value(), args);
}

static Value listEach(Interp &vm, Value self, Args &args)
{
	List &list = need<List>(self, "each");

	for (size_t i = 0; i < list.items.size(); i++)
		callWithItem(vm, args[0], list.items[i], i);
	return self;
}

static Value listFilter(Interp &vm, Value self, Args &args)
{
	List &list = need<List>(self, "filter");
	Object *out = vm.list();
	Hold hold(vm, out);

	for (size_t i = 0; i < list.items.size(); i++) {
		Value item = list.items[i];

		if (callWithItem(vm, args[0], item, i).truthy())
			out->append(item);
	}
	return Value(out);
}

static Value listMap(Interp &vm, Value self, Args &args)
{
	List &list = need<List>(self, "map");
	Object *out = vm.list();

	for (size_t i = 0; i < list.items.size(); i++) {
		Value result = callWithItem(vm, args[0], list.items[i], i);

		out->append(result);
	}
	return Value(out);
}

// Whether one item comes before another: by the script's function, or numbers before texts.
class Order {
public:
	Order(Interp &vm, Function *function) : vm_(vm), function_(function) {}

	bool before(const Value &a, const Value &b) const
	{
		if (function_ == nullptr)
			return natural(a, b);
		Args pair(vm_, { a, b });
		Value result = function_->code()->run(vm_, Value(), pair);
		return result.isNumber() ? result.number < 0 : result.truthy();
	}

private:
	static bool natural(const Value &a, const Value &b)
	{
		if (a.isNumber() && b.isNumber())
			return a.number < b.number;
		if (a.isNumber() != b.isNumber())
			return a.isNumber();
		return a.text() < b.text();
	}

	Interp &vm_;
	Function *function_;
};

// Stable, and harmless whatever the order's function answers.
static void insertionSort(std::vector<Value> &items, const Order &order)
{
	for (size_t i = 1; i < items.size(); i++)
		for (size_t at = i; at > 0 && order.before(items[at], items[at - 1]); at--)
			std::swap(items[at], items[at - 1]);
}

static Value listSort(Interp &vm, Value self, Args &args)
{
	List &list = need<List>(self, "sort");
	Function *function = nullptr;
	Args sorted(vm);

	if (args[0].isObject())
		function = static_cast<Function *>(args[0].ref);
	sorted.values = list.items;
	insertionSort(sorted.values, Order(vm, function));
	list.items = sorted.values;
	return self;
}

const Method kListMethods[] = {
	{ "push", listPush },   { "pop", listPop },     { "at", listAt },           { "join", listJoin },
	{ "slice", listSlice }, { "each", listEach },   { "reverse", listReverse }, { "filter", listFilter },
	{ "map", listMap },     { "sort", listSort },   { nullptr, nullptr },
};
