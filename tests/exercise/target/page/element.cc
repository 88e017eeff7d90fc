// element.cc - methods of elements and of the page (see element.h).
#include "element.h"

#include <algorithm>

#include "document.h"

static Node &nodeOf(const Value &self, const char *where)
{
	Node *node = need<Element>(self, where).node();

	if (node == nullptr)
		throw ScriptError(std::string(where) + ": the element has been removed");
	return *node;
}

static TagNode &tagOf(const Value &self, const char *where)
{
	TagNode *tag = dynamic_cast<TagNode *>(&nodeOf(self, where));

	if (tag == nullptr)
		throw ScriptError(std::string(where) + ": a text has no elements");
	return *tag;
}

static Value elementText(Interp &vm, Value self, Args &)
{
	return vm.string(nodeOf(self, "text").text());
}

static Value elementGet(Interp &vm, Value self, Args &args)
{
	const std::string *value = nodeOf(self, "get").get(args[0].text());

	return value ? vm.string(*value) : Value();
}

static Value elementSet(Interp &, Value self, Args &args)
{
	return Value(nodeOf(self, "set").set(args[0].text(), args[1].text()));
}

static Value elementCount(Interp &, Value self, Args &)
{
	return Value(static_cast<double>(tagOf(self, "count").children.size()));
}

static Value elementChild(Interp &, Value self, Args &args)
{
	TagNode &tag = tagOf(self, "child");
	int i = args.integer(0, 0);

	if (i < 0 || static_cast<size_t>(i) >= tag.children.size())
		return Value();
	return need<Element>(self, "child").document()->wrap(tag.children[static_cast<size_t>(i)]);
}

static Value elementParent(Interp &, Value self, Args &)
{
	return need<Element>(self, "parent").document()->wrap(nodeOf(self, "parent").parent);
}

// How deep below the page an element is; putting things ever deeper has to end somewhere.
static int depthOf(const Node *node)
{
	int depth = 0;

	for (; node != nullptr; node = node->parent)
		depth++;
	return depth;
}

static int heightOf(Node *node)
{
	std::vector<Node *> *children = node->childList();
	int height = 0;

	if (children != nullptr)
		for (Node *child : *children)
			height = std::max(height, heightOf(child));
	return height + 1;
}

// append(element) moves it here; append("text") adds text
static Value elementAppend(Interp &, Value self, Args &args)
{
	TagNode &parent = tagOf(self, "append");
	Document *document = need<Element>(self, "append").document();

	if (!args[0].isObject() || as<String>(args[0])) {
		parent.add(new TextNode(args[0].text()));
		return self;
	}
	Node *node = static_cast<Element *>(args[0].ref)->node();
	if (node == nullptr)
		throw ScriptError("append: the element has been removed");
	if (!node->movable() || parent.within(node) || depthOf(&parent) + heightOf(node) > 100)
		throw ScriptError("append: the element can't be put here");
	document->place(node, parent);
	return self;
}

static Value elementRemove(Interp &, Value self, Args &)
{
	Node &node = nodeOf(self, "remove");

	if (!node.movable())
		throw ScriptError("remove: the page itself stays");
	need<Element>(self, "remove").document()->discard(&node);
	return Value();
}

static Value elementClear(Interp &, Value self, Args &)
{
	TagNode &tag = tagOf(self, "clear");

	while (!tag.children.empty())
		need<Element>(self, "clear").document()->discard(tag.children.back());
	return self;
}

const Method *Element::methods() const
{
	static const Method methods[] = {
		{ "text", elementText },     { "get", elementGet },       { "set", elementSet },
		{ "count", elementCount },   { "child", elementChild },   { "parent", elementParent },
		{ "append", elementAppend }, { "remove", elementRemove }, { "clear", elementClear },
		{ nullptr, nullptr },
	};

	return methods;
}

bool PageObject::getField(const std::string &name, Value &out) const
{
	const std::string *title = document_->root.get("title");

	if (name == "title")
		out = document_->vm.string(title ? *title : "");
	else if (name == "root")
		out = document_->wrap(&document_->root);
	else
		return false;
	return true;
}

void PageObject::setField(const std::string &name, const Value &value)
{
	if (name != "title")
		return Object::setField(name, value);
	document_->root.set("title", value.text());
}

static Value pageFind(Interp &, Value self, Args &args)
{
	Document *document = need<PageObject>(self, "find").document();

	return document->wrap(document->find(args[0].text()));
}

static Value pageMake(Interp &, Value self, Args &args)
{
	Document *document = need<PageObject>(self, "make").document();

	return document->wrap(document->adopt(makeNode(args[0].text())));
}

const Method *PageObject::methods() const
{
	static const Method methods[] = {
		{ "find", pageFind }, { "make", pageMake }, { nullptr, nullptr },
	};

	return methods;
}
