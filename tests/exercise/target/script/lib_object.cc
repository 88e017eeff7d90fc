// lib_object.cc - methods of tables, functions, times and ranges.
#include <cmath>
#include <ctime>

#include "lib.h"

const Method *Table::methods() const { return kTableMethods; }
const Method *Function::methods() const { return kFunctionMethods; }
const Method *Time::methods() const { return kTimeMethods; }
const Method *Range::methods() const { return kRangeMethods; }

static Value tableKeys(Interp &vm, Value self, Args &)
{
	List *out = vm.heap().make<List>();

	for (auto &field : need<Table>(self, "keys").fields)
		out->append(vm.string(field.first));
	return Value(out);
}

static Value tableHas(Interp &, Value self, Args &args)
{
	return Value(need<Table>(self, "has").fields.count(args[0].text()) > 0);
}

static Value tableRemove(Interp &, Value self, Args &args)
{
	return Value(need<Table>(self, "remove").fields.erase(args[0].text()) > 0);
}

// function.call(self, arguments...): call it as a method of self
static Value functionCall(Interp &vm, Value self, Args &args)
{
	Args rest(vm);

	for (size_t i = 1; i < args.size(); i++)
		rest.values.push_back(args[i]);
	return vm.call(self, args[0], rest);
}

static Value timePlus(Interp &vm, Value self, Args &args)
{
	Time &time = need<Time>(self, "plus");

	return Value(vm.heap().make<Time>(time.seconds + args.number(0, 0), time.zone));
}

static Value timeIn(Interp &vm, Value self, Args &args)
{
	Time &time = need<Time>(self, "in");

	return Value(vm.heap().make<Time>(time.seconds, args.number(0, 0)));
}

static Value timeWeekday(Interp &vm, Value self, Args &)
{
	static const char *const days[] = { "Thursday", "Friday", "Saturday", "Sunday", "Monday",
					    "Tuesday", "Wednesday" };
	Time &time = need<Time>(self, "weekday");
	int day = toInt(std::floor((time.seconds + time.zone * 3600) / 86400)) % 7;

	return vm.string(days[day < 0 ? day + 7 : day]);
}

static Value rangeEach(Interp &vm, Value self, Args &args)
{
	Range &range = need<Range>(self, "each");

	if (range.count() > 100000)
		throw ScriptError("the range is too long");
	for (int i = 0; i < range.count(); i++) {
		Args one(vm, { Value(range.from + i * range.step) });

		vm.call(args[0], Value(), one);
	}
	return self;
}

static Value rangeList(Interp &vm, Value self, Args &)
{
	Range &range = need<Range>(self, "list");
	List *out = vm.heap().make<List>();

	for (int i = 0; i < range.count(); i++)
		out->append(Value(range.from + i * range.step));
	return Value(out);
}

static Value rangeHas(Interp &, Value self, Args &args)
{
	Range &range = need<Range>(self, "has");
	double n = args.number(0, 0);

	return Value(n >= range.from && n < range.to && std::fmod(n - range.from, range.step) == 0);
}

const Method kTableMethods[] = {
	{ "keys", tableKeys }, { "has", tableHas }, { "remove", tableRemove }, { nullptr, nullptr },
};

const Method kFunctionMethods[] = {
	{ "call", functionCall }, { nullptr, nullptr },
};

const Method kTimeMethods[] = {
	{ "plus", timePlus }, { "in", timeIn }, { "weekday", timeWeekday }, { nullptr, nullptr },
};

const Method kRangeMethods[] = {
	{ "each", rangeEach }, { "list", rangeList }, { "has", rangeHas }, { nullptr, nullptr },
};
