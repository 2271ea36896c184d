/* A front for the solver cvc5, over the C interface of the library that the PyPI wheel `cvc5` carries (the wheel has no headers
 * and no command). Each question is a line with a number of bytes and a script of so many bytes; each gets a solver of its own, so
 * that no answer depends on what was asked before. The answer is what the script's commands print, and then a line `; end`.
 * Arguments are options of the solver: name=value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TermManager TermManager;
typedef struct Solver Solver;
typedef struct SymbolManager SymbolManager;
typedef struct Parser Parser;
typedef struct Command Command;
extern TermManager *cvc5_term_manager_new(void);
extern void cvc5_term_manager_delete(TermManager *);
extern Solver *cvc5_new(TermManager *);
extern void cvc5_delete(Solver *);
extern const char *cvc5_get_version(Solver *);
extern void cvc5_set_option(Solver *, const char *name, const char *value);
extern SymbolManager *cvc5_symbol_manager_new(TermManager *);
extern void cvc5_symbol_manager_delete(SymbolManager *);
extern Parser *cvc5_parser_new(Solver *, SymbolManager *);
extern void cvc5_parser_delete(Parser *);
extern void cvc5_parser_set_str_input(Parser *, int language, const char *text, const char *name);
extern Command *cvc5_parser_next_command(Parser *, const char **error);
extern const char *cvc5_cmd_invoke(Command *, Solver *, SymbolManager *);

enum { SMT_LIB = 0 };

static void answer(const char *script, int options, char **option) {
  TermManager *terms = cvc5_term_manager_new();
  Solver *solver = cvc5_new(terms);
  for (int i = 0; i < options; i++) {
    char name[64];
    const char *is = strchr(option[i], '=');
    if (!is) continue;
    snprintf(name, sizeof name, "%.*s", (int)(is - option[i]), option[i]);
    cvc5_set_option(solver, name, is + 1);
  }
  SymbolManager *symbols = cvc5_symbol_manager_new(terms);
  Parser *parser = cvc5_parser_new(solver, symbols);
  cvc5_parser_set_str_input(parser, SMT_LIB, script, "question");
  for (;;) {
    const char *error = NULL;
    Command *command = cvc5_parser_next_command(parser, &error);
    if (error) printf("(error \"%s\")\n", error);
    if (error || !command) break;
    fputs(cvc5_cmd_invoke(command, solver, symbols), stdout);
  }
  cvc5_parser_delete(parser);
  cvc5_symbol_manager_delete(symbols);
  cvc5_delete(solver);
  cvc5_term_manager_delete(terms);
}

static int version(void) {
  TermManager *terms = cvc5_term_manager_new();
  Solver *solver = cvc5_new(terms);
  puts(cvc5_get_version(solver));
  cvc5_delete(solver);
  cvc5_term_manager_delete(terms);
  return 0;
}

int main(int count, char **argument) {
  if (count > 1 && !strcmp(argument[1], "--version")) return version();
  size_t size;
  while (scanf("%zu", &size) == 1 && getchar() == '\n') {
    char *script = malloc(size + 1);
    if (!script || fread(script, 1, size, stdin) != size) return 1;
    script[size] = 0;
    answer(script, count - 1, argument + 1);
    free(script);
    puts("; end");
    fflush(stdout);
  }
  return 0;
}
