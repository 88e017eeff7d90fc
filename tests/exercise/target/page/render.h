// render.h - writing a page's tree out.
#ifndef GAZETTE_RENDER_H
#define GAZETTE_RENDER_H

#include <string>
#include <vector>

class Renderer {
public:
	explicit Renderer(std::string &o) : out(o), headings(), lists() {}

	void escaped(const std::string &text);

	std::string &out;
	int headings[4];                  // numbers of the headings above
	std::vector<int> lists;           // counters of the lists around; 0 for those without
	std::vector<std::string> links;   // addresses, for the list at the end
};

#endif
