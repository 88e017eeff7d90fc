// document.cc - a page while it is read and its scripts run (see document.h).
#include "document.h"

#include <algorithm>

#include "page.h"
#include "render.h"

Document::Document(unsigned gcObjects, unsigned gcGrowth) : vm(gcObjects, gcGrowth)
{
	vm.addRoots(this);
	vm.globals()->declare("page", Value(vm.heap().make<PageObject>(this)));
}

Document::~Document()
{
	for (Node *node : loose_)
		delete node;
}

static Node *search(Node *node, const std::string &name, bool byId)
{
	const std::string *id = node->get("id");
	TagNode *tag = dynamic_cast<TagNode *>(node);

	if (byId ? id != nullptr && *id == name : tag != nullptr && tag->tag == name)
		return node;
	if (tag == nullptr)
		return nullptr;
	for (Node *child : tag->children)
		if (Node *found = search(child, name, byId))
			return found;
	return nullptr;
}

Node *Document::find(const std::string &name)
{
	Node *found = search(&root, name, true);

	return found ? found : search(&root, name, false);
}

Value Document::wrap(Node *node)
{
	if (node == nullptr)
		return Value();
	if (node->wrapper == nullptr) {
		node->wrapper = vm.heap().make<Element>(node, this);
		wrappers_.push_back(node->wrapper);
	}
	return Value(node->wrapper);
}

void Document::discard(Node *node)
{
	auto loose = std::find(loose_.begin(), loose_.end(), node);

	for (const TagNode *open : reading_)
		if (open->within(node))
			throw ScriptError("the element isn't complete yet");
	if (loose != loose_.end())
		loose_.erase(loose);
	node->detach();
	if (node->wrapper != nullptr)
		node->wrapper->forget();
	delete node;
}

Node *Document::adopt(Node *node)
{
	loose_.push_back(node);
	return node;
}

void Document::place(Node *node, TagNode &parent)
{
	auto loose = std::find(loose_.begin(), loose_.end(), node);

	if (loose != loose_.end())
		loose_.erase(loose);
	node->detach();
	parent.add(node);
}

void Document::trace(Heap &heap) const
{
	for (Element *wrapper : wrappers_)
		heap.mark(wrapper);
}

void Document::runScript(const std::string &source, TagNode &at)
{
	std::string out;

	try {
		vm.run(source, out);
	} catch (const ScriptError &error) {
		out += "[script, line " + std::to_string(vm.line()) + ": " + error.what() + "]\n";
	}
	if (!out.empty())
		at.add(new TextNode(out));
}

std::string Document::render() const
{
	std::string out;
	Renderer renderer(out);

	root.render(renderer);
	return out;
}

void page_render(const char *source, size_t len, const struct page_limits *limits, struct buf *out)
{
	Document document(limits->gc_objects, limits->gc_growth);

	document.read(std::string(source, len));
	std::string page = document.render();
	buf_add(out, page.data(), page.size());
}
