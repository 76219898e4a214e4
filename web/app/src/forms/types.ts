// What travels from the server about a form, and what the form logic gives
// back. The shapes are those of internal/forms (describe.go, problem.go).

/** An answer, or a value inside an expression. Empty is null or undefined. */
export type Value = null | undefined | string | number | boolean | Value[] | { [key: string]: Value };
export type Answers = { [key: string]: Value };

/** One node of an expression tree; see the package comment of internal/forms. */
export interface Expr {
  k: "num" | "str" | "dot" | "prop" | "ref" | "call";
  v?: string | number;
  b?: number;
  p?: string[];
  f?: string;
  l?: string;
  a?: Expr[];
}

export type FieldType =
  | "text" | "longtext" | "integer" | "decimal" | "range" | "date" | "datetime" | "daterange"
  | "boolean" | "select_one" | "select_multiple" | "acknowledge" | "age" | "location" | "money"
  | "files" | "list" | "repeat" | "group" | "matrix" | "calculate"
  | "ref_org" | "ref_user" | "ref_case" | "ref_consent" | "ref_grant" | "ref_form"
  | "auto" | "note" | "preview";

export interface FieldDescription {
  name: string;
  type: FieldType;
  label?: string;
  hint?: string;
  tier?: string;
  required?: boolean;
  required_when?: Expr;
  required_message?: string;
  relevant?: Expr;
  constraint?: Expr;
  constraint_message?: string;
  calculation?: Expr;
  choice_filter?: Expr;
  default?: Value;
  default_expr?: Expr;
  list?: string;
  rows?: string;
  any_row?: boolean;
  multiple?: boolean;
  known_from?: string[];
  max_rows?: number;
  max_length?: number;
  max_items?: number;
  appearance?: string;
  status?: string;
  fields?: FieldDescription[];
}

export interface CodeDescription {
  code: string;
  label: string;
  props?: { [name: string]: Value };
}

export interface ListDescription {
  name?: string;
  status?: string;
  codes: CodeDescription[];
}

export interface Description {
  id: string;
  version: number;
  lang: string;
  title: string;
  when?: string;
  deadline?: string;
  rules?: string[];
  stream: string;
  single?: boolean;
  filled_by: string[];
  approval?: string;
  approval_field?: string;
  confidence?: string;
  status?: string;
  fields: FieldDescription[];
  order: number[];
  lists: { [id: string]: ListDescription };
  external?: string[];
}

/** One thing to put right; path as caregivers[2].age. */
export interface Problem {
  path: string;
  code: string;
  message: string;
  params?: { [name: string]: string | number };
}

/** What a check may know besides the answers. */
export interface Env {
  /** The writer's moment as RFC 3339 with whole seconds and offset; see nowText. */
  now: string;
  /** Newest answer of another form in the same stream, by Form.field. */
  known?: (path: string) => Value;
  /** Messages by problem code, in the reader's language (Library.Messages). */
  messages?: { [code: string]: string };
  /** Makes ids for rows that come without one. */
  newId?: () => string;
  /** The entry is the approver's decision: its field may be filled. */
  deciding?: boolean;
  /** Report irrelevant answers instead of only dropping them. */
  strict?: boolean;
  /** Computed values in the answers are earlier ones of the server: keep them for once(). */
  trusted?: boolean;
}
