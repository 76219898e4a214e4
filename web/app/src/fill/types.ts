// The form as the server describes it (internal/forms, Description).
export type Expr = unknown;
export interface Code { code: string; label: string; props?: Record<string, unknown> }
export interface List { name?: string; status?: string; codes: Code[] }
export interface Field {
  name: string; type: string; label?: string; hint?: string; tier?: string;
  required?: boolean; required_when?: Expr; required_message?: string; relevant?: Expr;
  constraint?: Expr; constraint_message?: string; calculation?: Expr; choice_filter?: Expr;
  default?: unknown; default_expr?: Expr; list?: string; rows?: string; any_row?: boolean; multiple?: boolean;
  known_from?: string[]; max_rows?: number; max_length?: number; max_items?: number; appearance?: string; status?: string;
  fields?: Field[];
}
export interface Form {
  id: string; version: number; lang?: string; title: string; when?: string; deadline?: string; rules?: string[]; stream: string; single?: boolean;
  filled_by?: string[]; approval?: string; approval_field?: string; confidence?: string; status?: string;
  fields: Field[]; order?: number[]; lists: Record<string, List>; external?: string[];
}
