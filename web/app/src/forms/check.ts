// Checking answers: shapes first, then relevance and calculations in order of
// dependence, then what is required and what the constraints say; check.go
// once more. The server checks again: this is for the person who types.

import { Evaluation } from "./eval";
import { type Field, holdsAnswer, isComputed, type Model } from "./model";
import { Shapes } from "./shape";
import type { Answers, Env, Expr, Problem, Value } from "./types";
import { elements, isEmpty, isObject, type Obj, own, toText, truth } from "./value";

export interface Checked {
  /** Valid, relevant answers with calculations; null when they are too large. */
  clean: Answers | null;
  problems: Problem[];
  /** Paths of what does not apply: caregivers[0].phone. */
  irrelevant: Set<string>;
}

/** One level of the answers: the whole, a group, a row. */
export interface Place {
  m: Obj;
  scopes: Obj[];
  index: number;
  prefix: string;
}

export function check(model: Model, answers: Answers, env: Env): Checked {
  return new Run(model, env).check(answers);
}

/** A draft: keys, types, limits and codes only. */
export function checkPartial(model: Model, answers: Answers, env: Env): Checked {
  const shapes = new Shapes(model, env);
  const clean = shapes.answers(answers);
  if (clean) prune(model.fields, clean);
  return { clean, problems: shapes.problems, irrelevant: new Set() };
}

/** Paths that still need an answer, in form order. */
export function missing(model: Model, answers: Answers, env: Env): string[] {
  return check(model, answers, env).problems.filter((p) => p.code === "required" || p.code === "part").map((p) => p.path);
}

export function rootPlace(m: Obj): Place {
  return { m, scopes: [m], index: 0, prefix: "" };
}

/** The level of the answers at which the answer of this path stands, if it is there. */
export function placeAt(model: Model, answers: Obj, path: string): Place | undefined {
  let p = rootPlace(answers);
  let fields = model.fields;
  const steps = path.split(".");
  for (let i = 0; i < steps.length - 1; i++) {
    const [name = "", number] = (steps[i] ?? "").split("[");
    const f = fields.find((field) => field.name === name);
    const v = own(p.m, name);
    if (!f) return undefined;
    if (f.type === "repeat" && number !== undefined && Array.isArray(v) && isObject(v[parseInt(number, 10)])) {
      p = rowPlace(p, f, parseInt(number, 10));
    } else if (f.type === "group" && isObject(v)) {
      p = { ...p, m: v, prefix: `${p.prefix}${name}.` };
    } else if (f.type === "matrix" && f.fields.length > 0 && i < steps.length - 2) {
      const code = steps[++i] ?? "";
      const cell = isObject(v) ? own(v, code) : undefined;
      p = cellPlace(p, f, code, isObject(cell) ? cell : {});
    } else {
      return f.fields.length === 0 || f.type === "matrix" ? p : undefined;
    }
    fields = f.fields;
  }
  return p;
}

export class Run {
  readonly shapes: Shapes;
  readonly irrelevant = new Set<string>();
  private readonly ev: Evaluation;

  constructor(readonly model: Model, readonly env: Env) {
    this.shapes = new Shapes(model, env);
    this.ev = new Evaluation({ now: env.now, known: env.known, list: (id) => model.list(id) });
  }

  check(answers: Answers): Checked {
    const clean = this.shapes.answers(answers);
    if (clean) {
      this.settle(clean);
      this.verify(this.model.fields, rootPlace(clean));
      prune(this.model.fields, clean);
    }
    return { clean, problems: this.shapes.problems, irrelevant: this.irrelevant };
  }

  /** Drops what does not apply and computes calculations. */
  private settle(clean: Obj): void {
    for (const f of this.model.order) {
      if (!f.relevant && f.type !== "group" && f.type !== "calculate") continue;
      this.each(f.containers, 0, rootPlace(clean), (p) => this.settleOne(f, p));
    }
  }

  private settleOne(f: Field, p: Place): void {
    if (f.relevant && !truth(this.value(f.relevant, f, p))) {
      const path = p.prefix + f.name;
      this.irrelevant.add(path);
      if (this.env.strict && !isEmpty(p.m[f.name])) this.shapes.problem(path, "irrelevant");
      delete p.m[f.name];
      return;
    }
    if (f.type === "group") p.m[f.name] ??= {};
    if (f.type === "calculate" && f.calculation) set(p.m, f.name, this.value(f.calculation, f, p, null, p.m[f.name]));
  }

  /** Visits every place where the fields inside the last container stand. */
  private each(containers: Field[], i: number, p: Place, visit: (p: Place) => void): void {
    const c = containers[i];
    if (!c) {
      visit(p);
      return;
    }
    const v = own(p.m, c.name);
    if (c.type === "group" && isObject(v)) {
      this.each(containers, i + 1, { ...p, m: v, prefix: `${p.prefix}${c.name}.` }, visit);
    } else if (c.type === "repeat" && Array.isArray(v)) {
      v.forEach((_, n) => this.each(containers, i + 1, rowPlace(p, c, n), visit));
    } else if (c.type === "matrix" && isObject(v)) {
      for (const code of this.model.list(c.rows ?? "")?.codes ?? []) {
        const cell = own(v, code.code);
        if (isObject(cell)) this.each(containers, i + 1, cellPlace(p, c, code.code, cell), visit);
      }
    }
  }

  /** Computes one rule of f at p. */
  value(e: Expr, f: Field, p: Place, self: Value = null, prev: Value = null): Value {
    Object.assign(this.ev, { scopes: p.scopes, index: p.index, self, prev, choice: null });
    const v = this.ev.value(e);
    if (this.ev.spent) this.shapes.problem(p.prefix + f.name, "too_complex");
    return v;
  }

  /** Whether a choice goes with the other answers. */
  offers(f: Field, code: string, p: Place): boolean {
    if (!f.choice_filter) return true;
    const choice = this.model.codes(f.list ?? "")?.get(code) ?? null;
    Object.assign(this.ev, { scopes: p.scopes, index: p.index, self: null, prev: null, choice });
    return truth(this.ev.value(f.choice_filter));
  }

  isRequired(f: Field, p: Place): boolean {
    return f.required === true || (f.required_when !== undefined && truth(this.value(f.required_when, f, p)));
  }

  private verify(fields: Field[], p: Place): void {
    for (const f of fields) {
      const path = p.prefix + f.name;
      if (!holdsAnswer(f) || this.irrelevant.has(path) || this.shapes.undecided(f)) continue;
      const v = own(p.m, f.name);
      if (f.type === "group" && isObject(v)) this.verify(f.fields, { ...p, m: v, prefix: path + "." });
      if (isEmpty(v) || (f.type === "acknowledge" && v === false)) this.verifyEmpty(f, p, path);
      else this.verifyFull(f, v, p, path);
    }
  }

  private verifyEmpty(f: Field, p: Place, path: string): void {
    if (isComputed(f) || this.shapes.bad.has(path) || f.type === "group" || !this.isRequired(f, p)) return;
    this.shapes.problem(path, "required", undefined, f.required_message);
  }

  private verifyFull(f: Field, v: Value, p: Place, path: string): void {
    if (f.type === "repeat" && Array.isArray(v)) v.forEach((_, i) => this.verify(f.fields, rowPlace(p, f, i)));
    if (f.type === "matrix" && isObject(v)) this.verifyMatrix(f, v, p, path);
    if (f.choice_filter && !elements(v).every((e) => this.offers(f, toText(e), p))) this.shapes.problem(path, "filtered");
    if (!f.constraint || this.shapes.bad.has(path) || truth(this.value(f.constraint, f, p, v))) return;
    this.shapes.problem(path, "constraint", undefined, f.constraint_message);
  }

  private verifyMatrix(f: Field, m: Obj, p: Place, path: string): void {
    const all = !f.any_row && this.isRequired(f, p);
    for (const { code } of this.model.list(f.rows ?? "")?.codes ?? []) {
      const cell = own(m, code);
      const at = `${path}.${code}`;
      if (cell === undefined) {
        if (all && !this.shapes.bad.has(at)) this.shapes.problem(at, "required", undefined, f.required_message);
      } else if (isObject(cell)) {
        this.verify(f.fields, cellPlace(p, f, code, cell));
      }
    }
  }
}

function rowPlace(p: Place, c: Field, i: number): Place {
  const rows = p.m[c.name];
  const row = Array.isArray(rows) ? rows[i] : undefined;
  const m = isObject(row) ? row : {};
  return { m, scopes: [...p.scopes, m], index: i + 1, prefix: `${p.prefix}${c.name}[${i}].` };
}

function cellPlace(p: Place, c: Field, code: string, m: Obj): Place {
  return { m, scopes: [...p.scopes, m], index: 0, prefix: `${p.prefix}${c.name}.${code}.` };
}

function set(m: Obj, key: string, v: Value): void {
  if (isEmpty(v)) delete m[key];
  else m[key] = v;
}

/** Removes groups and matrix rows in which nothing is answered. */
function prune(fields: Field[], m: Obj): void {
  for (const f of fields) {
    const v = own(m, f.name);
    if (f.type === "group" && isObject(v)) {
      prune(f.fields, v);
      set(m, f.name, v);
    } else if (f.type === "repeat" && Array.isArray(v)) {
      for (const row of v) if (isObject(row)) prune(f.fields, row);
    } else if (f.type === "matrix" && isObject(v)) {
      for (const [k, cell] of Object.entries(v)) if (isObject(cell) && isEmpty(cell)) delete v[k];
      set(m, f.name, v);
    }
  }
}
