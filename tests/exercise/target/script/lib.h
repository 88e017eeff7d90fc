// lib.h - what the script library's files share.
#ifndef GAZETTE_LIB_H
#define GAZETTE_LIB_H

#include "interp.h"

// The methods of the classes of other parts of the program are declared with those classes.
extern const Method kStringMethods[];
extern const Method kListMethods[];
extern const Method kTableMethods[];
extern const Method kFunctionMethods[];
extern const Method kTimeMethods[];
extern const Method kRangeMethods[];
extern const Method kBytesMethods[];

#endif
