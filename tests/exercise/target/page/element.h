// element.h - what scripts see of a page: its nodes, and the page itself.
#ifndef GAZETTE_ELEMENT_H
#define GAZETTE_ELEMENT_H

#include "interp.h"
#include "node.h"

class Document;

class Element : public Object {
public:
	static const Type kType = Type::Element;
	Element(Node *node, Document *document) : Object(kType), node_(node), document_(document) {}
	const char *typeName() const override { return "element"; }
	const Method *methods() const override;

	Node *node() const { return node_; }
	Document *document() const { return document_; }

	// The node is no more.
	void forget() { node_ = nullptr; }

private:
	Node *node_;
	Document *document_;
};

class PageObject : public Object {
public:
	static const Type kType = Type::Page;
	explicit PageObject(Document *document) : Object(kType), document_(document) {}
	const char *typeName() const override { return "page"; }
	bool getField(const std::string &name, Value &out) const override;
	void setField(const std::string &name, const Value &value) override;
	const Method *methods() const override;

	Document *document() const { return document_; }

private:
	Document *document_;
};

#endif
