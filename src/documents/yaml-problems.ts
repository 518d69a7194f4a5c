/** Says what the YAML parser's error codes mean to someone who wrote the file. */
import type { ErrorCode } from 'yaml';

export const yamlProblems: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have a tag or an anchor',
  BAD_ALIAS: 'the name of an anchor or alias is not allowed here',
  BAD_COLLECTION_TYPE: 'the tag does not fit the list or map it stands before',
  BAD_DIRECTIVE: 'this line starts with % and is not a directive of YAML',
  BAD_DQ_ESCAPE: 'unknown escape sequence; a backslash in double quotes is written \\\\',
  BAD_INDENT: 'the indentation does not fit the lines above; keys of one map start in one column',
  BAD_PROP_ORDER: 'a tag or an anchor is in the wrong place',
  BAD_SCALAR_START: 'a plain value cannot start with this character; put the value in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two keys on one line; put each on its own line, or the value in quotes',
  BLOCK_IN_FLOW: 'inside [ ] and { } there can be no indented block',
  DUPLICATE_KEY: 'the key is there twice',
  IMPOSSIBLE: 'this cannot be read as YAML',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters; is a quote or a line end missing?',
  MISSING_CHAR:
    'something is missing here: a closing quote or bracket, a comma, or the colon and space after a key',
  MULTILINE_IMPLICIT_KEY: 'a key goes over the end of the line; is a colon missing?',
  MULTIPLE_ANCHORS: 'a value can have one anchor',
  MULTIPLE_DOCS: 'a second document starts here; tdctl reads one object a file',
  MULTIPLE_TAGS: 'a value can have one tag',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'this needs more memory or depth than such a file can ask for',
  TAB_AS_INDENT: 'a tab cannot indent YAML; use spaces',
  TAG_RESOLVE_FAILED: 'the tag cannot be applied to this value',
  UNEXPECTED_TOKEN: 'this character is not expected here',
};
