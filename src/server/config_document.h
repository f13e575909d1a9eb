/**
 * What is printed from the option table. Each text ends with a newline.
 */
#ifndef SERVER_CONFIG_DOCUMENT_H
#define SERVER_CONFIG_DOCUMENT_H

#include "server/config_text.h"
#include "server/options.h"

/** duet --help */
void config_document_usage(struct config_text *ret);

/** duet serve --help: how settings are given, then every key. */
void config_document_help(struct config_text *ret);

/** duet serve --print-config: the settings in effect as a YAML file with comments. */
void config_document_sample(const struct options *options, struct config_text *ret);

/** duet serve --print-reference: docs/configuration.md. */
void config_document_reference(struct config_text *ret);

#endif
