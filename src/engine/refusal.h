/* Why a procedure stays native although it was to be redirected. */
#ifndef ENGINE_REFUSAL_H
#define ENGINE_REFUSAL_H

enum refusal {
	REFUSED_UNREADABLE,   /* its entry is no instruction */
	REFUSED_SHARED,       /* code of its belongs to another redirected procedure */
	REFUSED_UNREACHABLE,  /* an operand or the procedure itself is too far from the code cache */
	REFUSED_FULL,         /* no room left in the code cache or the tables */
	REFUSED_REWRITTEN,    /* the program writes to its text */
	REFUSED_RESTARTABLE,  /* the kernel makes it begin again when it is interrupted */
	REFUSED_OTHER,
	REFUSALS,
};

/* Of a status of image_redirect(). */
enum refusal refusal_of(int status);
const char *refusal_text(enum refusal why);

#endif
