/*
 * The expressions of `golanes check`: figures of a trace, compared.
 *
 *     p99(stw) < 1ms and straddles == 0
 *
 * An expression is read twice: before the trace, so that what is wrong with it is said at once (every figure is then 0),
 * and after it.
 */
#ifndef GOLANES_CLI_CHECK_EXPR_H
#define GOLANES_CLI_CHECK_EXPR_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cli_measure { CLI_NUMBER_OF, CLI_TIME_OF, CLI_BYTES_OF, CLI_SHARE_OF, CLI_TRUTH_OF } cli_measure;

typedef struct cli_value {
    cli_measure measure;
    double x; /**< a count, ns, bytes, a share of 1, or 0 and 1 */
} cli_value;

/** What is asked of a trace: `function(name("argument"))`, the parts that are there. */
typedef struct cli_question {
    const char *function; /**< "p99"; "" none */
    const char *name;     /**< "stw" */
    const char *argument; /**< NULL none */
    const char **wrong;   /**< set to the one of these that is wrong, where it is not the whole */
} cli_question;

typedef enum cli_asked { CLI_ASKED_OK, CLI_ASKED_WRONG, CLI_ASKED_NOT_KNOWN } cli_asked;

/** Answers a question; where it cannot, `why` says it: WRONG is the question's fault, NOT_KNOWN the trace's. */
typedef cli_asked (*cli_ask_fn)(void *user, const cli_question *q, cli_value *out, char *why, size_t why_size);

#define CLI_CHECK_FIGURES_MAX 8
typedef struct cli_figure {
    size_t at, n; /**< where in the expression it is asked for */
    cli_value value;
} cli_figure;

typedef enum cli_verdict { CLI_CHECK_HOLDS, CLI_CHECK_FAILS, CLI_CHECK_WRONG, CLI_CHECK_NOT_KNOWN } cli_verdict;

typedef struct cli_checked {
    cli_verdict verdict;
    size_t at, n;  /**< of what is wrong, or not known */
    char why[300]; /**< then */
    cli_figure figures[CLI_CHECK_FIGURES_MAX];
    size_t figure_count;
} cli_checked;

void cli_check_eval(const char *expression, cli_ask_fn ask, void *user, cli_checked *out);
/** "1.50 ms", "12", "3.4 %"; at least 60 bytes. */
const char *cli_value_text(char *out, size_t n, const cli_value *v);

#endif
