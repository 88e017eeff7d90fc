// objects.cc - the script language's own classes: what they hold and how they are indexed. Their
// methods are in lib_*.cc.
#include "objects.h"

#include <cmath>
#include <cstdio>
#include <ctime>

#include "heap.h"
#include "interp.h"

Value String::getIndex(Interp &vm, const Value &index)
{
	int i = index.isNumber() ? toInt(index.number) : -1;

	if (i < 0 || static_cast<size_t>(i) >= chars.size())
		return Value();
	return vm.string(chars.substr(static_cast<size_t>(i), 1));
}

std::string List::text() const
{
	std::string out = "[";

	for (size_t i = 0; i < items.size(); i++) {
		out += i ? ", " : "";
		out += as<List>(items[i]) || as<Table>(items[i]) ? "..." : items[i].text();
	}
	return out + "]";
}

bool List::getField(const std::string &name, Value &out) const
{
	if (name != "length")
		return false;
	out = Value(static_cast<double>(items.size()));
	return true;
}

size_t List::place(const Value &index) const
{
	if (!index.isNumber())
		throw ScriptError("lists are indexed by numbers");
	double i = std::floor(index.number);
	if (i < 0)
		i += static_cast<double>(items.size());
	if (!(i >= 0 && i < static_cast<double>(items.size())))
		throw ScriptError("no element " + index.text() + " in the list");
	return static_cast<size_t>(i);
}

Value List::getIndex(Interp &, const Value &index)
{
	return items[place(index)];
}

void List::setIndex(const Value &index, const Value &value)
{
	items[place(index)] = value;
}

void List::append(const Value &value)
{
	if (items.size() >= 100000)
		throw ScriptError("the list is too long");
	items.push_back(value);
}

void List::trace(Heap &heap) const
{
	for (const Value &item : items)
		heap.mark(item);
}

std::string Table::text() const
{
	std::string out = "{";

	for (auto &field : fields) {
		out += out.size() > 1 ? ", " : "";
		out += field.first + ": ";
		out += as<List>(field.second) || as<Table>(field.second) ? "..." : field.second.text();
	}
	return out + "}";
}

bool Table::getField(const std::string &name, Value &out) const
{
	auto at = fields.find(name);

	if (at == fields.end())
		return false;
	out = at->second;
	return true;
}

void Table::setField(const std::string &name, const Value &value)
{
	fields[name] = value;
}

Value Table::getIndex(Interp &, const Value &index)
{
	Value out;

	getField(index.text(), out);
	return out;
}

void Table::setIndex(const Value &index, const Value &value)
{
	setField(index.text(), value);
}

void Table::trace(Heap &heap) const
{
	for (auto &field : fields)
		heap.mark(field.second);
}

std::string Function::text() const
{
	return "[function " + code_->name() + "]";
}

void Function::trace(Heap &heap) const
{
	code_->trace(heap);
}

std::string Time::text() const
{
	double local = seconds + zone * 3600;
	time_t t = std::fabs(local) < 1e11 ? static_cast<time_t>(local) : 0;
	struct tm tm;
	char out[64];

	gmtime_r(&t, &tm);
	strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S", &tm);
	return out;
}

bool Time::getField(const std::string &name, Value &out) const
{
	if (name == "seconds")
		out = Value(seconds);
	else if (name == "zone")
		out = Value(zone);
	else
		return false;
	return true;
}

void Time::setField(const std::string &name, const Value &value)
{
	if (name == "seconds" && value.isNumber())
		seconds = value.number;
	else if (name == "zone" && value.isNumber())
		zone = value.number;
	else
		Object::setField(name, value);
}

std::string Range::text() const
{
	return numberText(from) + ".." + numberText(to) + (step != 1 ? " by " + numberText(step) : "");
}

bool Range::getField(const std::string &name, Value &out) const
{
	if (name == "from")
		out = Value(from);
	else if (name == "to")
		out = Value(to);
	else if (name == "length")
		out = Value(count());
	else
		return false;
	return true;
}

int Range::count() const
{
	double n = step != 0 ? std::ceil((to - from) / step) : 0;

	return n > 0 ? toInt(n) : 0;
}

Value Range::getIndex(Interp &, const Value &index)
{
	int i = index.isNumber() ? toInt(index.number) : -1;

	return i >= 0 && i < count() ? Value(from + i * step) : Value();
}

Bytes::Bytes(size_t n) : Object(kType), data(new unsigned char[n]()), size(n)
{
}

Bytes::~Bytes()
{
	release();
}

void Bytes::release()
{
	delete[] data;
	data = nullptr;
	size = 0;
}

std::string Bytes::text() const
{
	return std::string(reinterpret_cast<const char *>(data), size);
}

bool Bytes::getField(const std::string &name, Value &out) const
{
	if (name != "length")
		return false;
	out = Value(static_cast<double>(size));
	return true;
}

Value Bytes::getIndex(Interp &, const Value &index)
{
	double i = index.isNumber() ? index.number : -1;

	return i >= 0 && i < static_cast<double>(size) ? Value(data[static_cast<size_t>(i)]) : Value();
}

void Bytes::setIndex(const Value &index, const Value &value)
{
	double i = index.isNumber() ? index.number : -1;

	if (!(i >= 0 && i < static_cast<double>(size)) || !value.isNumber())
		throw ScriptError("no byte " + index.text());
	data[static_cast<size_t>(i)] = static_cast<unsigned char>(toInt(value.number));
}

Value *Scope::find(const std::string &name)
{
	for (Scope *scope = this; scope != nullptr; scope = scope->outer_) {
		auto at = scope->names_.find(name);

		if (at != scope->names_.end())
			return &at->second;
	}
	return nullptr;
}

void Scope::trace(Heap &heap) const
{
	heap.mark(outer_);
	for (auto &name : names_)
		heap.mark(name.second);
}
