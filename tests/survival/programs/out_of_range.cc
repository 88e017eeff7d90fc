/* A filter that picks fields: "ID FIELD word word word" gives the FIELDth word. vector::at throws; nobody catches. */
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

static __attribute__((noinline)) std::string pick(const std::vector<std::string> &words, int field)
{
	return words.at(field);
}

static __attribute__((noinline)) void handle(const std::string &line)
{
	std::istringstream in(line);
	std::vector<std::string> words;
	std::string word;
	int id, field;
	in >> id >> field;
	while (in >> word)
		words.push_back(word);
	std::string picked = pick(words, field);
	std::cout << id << " " << picked << "\n";
}

int main()
{
	std::string line;
	while (std::getline(std::cin, line))
		handle(line);
	std::cout << "end" << std::endl;
	return 0;
}
