// The evaluator: what an expression tree is worth for given answers. Never
// throws: whatever has no value is empty. eval.go is the same in Go.

import { ageOn } from "./age";
import { formatDay, parseMoment, yearsBetween } from "./date";
import type { Answers, CodeDescription, Expr, ListDescription, Value } from "./types";
import {
  compareScalars, elements, equalScalars, finite, isEmpty, isObject, norm, own, roundHalfUp, single, sortedKeys,
  toNumber, toText, truth,
} from "./value";

/** Most nodes and list elements that one evaluation visits. */
export const maxSteps = 100000;
/** Most of all evaluations of one check together. */
export const maxCheckSteps = 5000000;

/** What an expression can see besides the answers. */
export interface World {
  now: string;
  known?: (path: string) => Value;
  list: (id: string) => ListDescription | undefined;
}

/** One place in the answers from which expressions are computed. */
export class Evaluation {
  scopes: Answers[] = [];
  index = 0;
  self: Value = null;
  prev: Value = null;
  choice: CodeDescription | null = null;
  spent = false;
  private steps = 0;
  private total = 0;

  constructor(private readonly world: World) {}

  value(e: Expr): Value {
    this.steps = 0;
    this.spent = this.total > maxCheckSteps;
    const v = this.eval(e);
    this.total += this.steps;
    return this.spent ? null : v;
  }

  private step(n: number): boolean {
    this.steps += n;
    if (this.steps > maxSteps) this.spent = true;
    return !this.spent;
  }

  private eval(n: Expr): Value {
    if (!this.step(1)) return null;
    switch (n.k) {
      case "num":
        return n.v;
      case "str":
        return norm(n.v);
      case "ref":
        return this.ref(n);
      case "dot":
        return norm(this.self);
      case "prop":
        return this.prop(String(n.v));
    }
    return this.call(n, n.f ?? "", n.a ?? []);
  }

  private prop(name: string): Value {
    if (!this.choice) return null;
    if (name === "code" || name === "name") return this.choice.code;
    return norm(own(this.choice.props ?? {}, name));
  }

  private ref(n: Expr): Value {
    const scope = this.scopes[n.b ?? 0];
    return scope === undefined ? null : norm(this.walk(scope, n.p ?? [], 0));
  }

  private walk(from: Value, path: string[], start: number): Value {
    let v = from;
    for (let i = start; i < path.length; i++) {
      const name = path[i] ?? "";
      if (Array.isArray(v)) return this.gather(v, path, i);
      if (!isObject(v)) return null;
      if (name === "*") {
        const o = v;
        return this.gather(sortedKeys(o).map((k) => o[k]), path, i + 1);
      }
      v = own(v, name);
    }
    return v;
  }

  private gather(list: Value[], path: string[], start: number): Value {
    if (!this.step(list.length)) return null;
    const out: Value[] = [];
    for (const e of list) {
      const v = this.walk(e, path, start);
      if (Array.isArray(v)) for (const inner of v) out.push(inner);
      else if (!isEmpty(v)) out.push(v);
    }
    return out;
  }

  private call(n: Expr, f: string, a: Expr[]): Value {
    const arg = (i: number): Value => {
      const e = a[i];
      return e === undefined ? null : this.eval(e);
    };
    switch (f) {
      case "and":
        return truth(arg(0)) && truth(arg(1));
      case "or":
        return truth(arg(0)) || truth(arg(1));
      case "if":
        return truth(arg(0)) ? arg(1) : arg(2);
      case "coalesce":
        for (let i = 0; i < a.length; i++) {
          const v = arg(i);
          if (!isEmpty(v)) return v;
        }
        return null;
      case "once":
        return isEmpty(this.prev) ? arg(0) : this.prev;
    }
    if (f === "regex") return matches(toText(arg(0)), a[1], this);
    return this.apply(n, f, a.map((e) => this.eval(e)));
  }

  /** Counts the visit of a literal argument that is not evaluated further. */
  visit(): void {
    this.step(1);
  }

  private apply(n: Expr, f: string, args: Value[]): Value {
    const [x, y] = args;
    switch (f) {
      case "=":
        return this.equal(x, y);
      case "!=":
        return !this.equal(x, y);
      case "<":
      case "<=":
      case ">":
      case ">=":
        return this.ordered(f, x, y);
      case "+":
      case "-":
      case "*":
      case "div":
      case "mod":
        return arithmetic(f, single(x), single(y));
      case "neg":
        return numeric(x, (v) => -v);
      case "not":
        return !truth(x);
      case "true":
        return true;
      case "false":
        return false;
      case "selected":
        return this.selected(x, y);
      case "count":
      case "count-selected":
        return elements(x).length;
      case "sum":
      case "min":
      case "max":
        return this.aggregate(f, args);
      case "string-length":
        return [...toText(x)].length;
      case "contains":
        return toText(x).includes(toText(y));
      case "starts-with":
        return toText(x).startsWith(toText(y));
      case "concat":
        return norm(args.map(toText).join(""));
      case "int":
        return numeric(x, Math.trunc);
      case "round":
        return round(args);
      case "number":
        return numeric(x, (v) => v);
      case "string":
        return norm(toText(x));
    }
    return this.applyWorld(n, f, args);
  }

  private applyWorld(n: Expr, f: string, args: Value[]): Value {
    const [x, y] = args;
    const today = this.world.now.slice(0, 10);
    switch (f) {
      case "today":
        return today;
      case "now":
        return this.world.now;
      case "date":
        return toDate(x);
      case "date-diff-days": {
        const a = dayOf(x);
        const b = dayOf(y);
        return a === null || b === null ? null : a - b;
      }
      case "add-days": {
        const day = dayOf(x);
        return day === null ? null : shift(day, y, 1);
      }
      case "age-in-years":
        return ageInYears(single(x), args.length === 2 ? y : today);
      case "indexed-repeat": {
        const rows = elements(x);
        const i = toNumber(y);
        if (i === null || i !== Math.trunc(i) || i < 1 || i > rows.length) return null;
        return norm(this.walk(rows[i - 1], n.p ?? [], 0));
      }
      case "jr:choice-name":
        return this.choiceName(n.l ?? "", x);
      case "position":
        return this.index > 0 ? this.index : null;
      case "known":
        return this.world.known ? norm(this.world.known(toText(x))) : null;
    }
    return null;
  }

  private equal(a: Value, b: Value): boolean {
    if (isEmpty(a) || isEmpty(b)) return isEmpty(a) && isEmpty(b);
    return this.anyPair(a, b, equalScalars);
  }

  private ordered(op: "<" | "<=" | ">" | ">=", a: Value, b: Value): boolean {
    if (isEmpty(a) || isEmpty(b)) return false;
    return this.anyPair(a, b, (x, y) => {
      const c = compareScalars(x, y);
      if (c === null) return false;
      if (op === "<") return c < 0;
      if (op === "<=") return c <= 0;
      return op === ">" ? c > 0 : c >= 0;
    });
  }

  private anyPair(a: Value, b: Value, holds: (x: Value, y: Value) => boolean): boolean {
    const xs = elements(a);
    const ys = elements(b);
    if (!this.step(xs.length * ys.length)) return false;
    return xs.some((x) => ys.some((y) => holds(x, y)));
  }

  private selected(answer: Value, code: Value): boolean {
    const want = toText(code);
    if (want === "") return false;
    const list = elements(answer);
    return this.step(list.length) && list.some((e) => toText(e) === want);
  }

  private aggregate(op: string, args: Value[]): Value {
    const all = args.flatMap(elements);
    if (!this.step(all.length)) return null;
    if (op === "sum") {
      let total = 0;
      for (const e of all) {
        const n = toNumber(e);
        if (n === null) return null;
        total += n;
      }
      return finite(total);
    }
    const sign = op === "max" ? -1 : 1;
    const numbers = all.map(toNumber);
    if (numbers.every((n) => n !== null)) return extreme(numbers, sign);
    return all.every((e) => dayOf(e) !== null) ? extreme(all, sign) : null;
  }

  private choiceName(listId: string, v: Value): Value {
    const codes = elements(v);
    const list = this.world.list(listId);
    if (!list || !this.step(codes.length)) return null;
    const label = (code: string): string => list.codes.find((c) => c.code === code)?.label ?? code;
    return norm(codes.map((c) => label(toText(c))).join(", "));
  }
}

const patterns = new WeakMap<Expr, RegExp>();

/** The server has already rewritten the pattern into what both engines read alike. */
function matches(text: string, pattern: Expr | undefined, ev: Evaluation): boolean {
  ev.visit();
  if (!pattern) return false;
  let re = patterns.get(pattern);
  if (!re) {
    re = new RegExp(`^(?:${String(pattern.v ?? "")})$`, "u");
    patterns.set(pattern, re);
  }
  return re.test(text);
}

/** The first of the least (sign 1) or greatest (sign -1). */
function extreme(all: Value[], sign: number): Value {
  let best: Value = null;
  all.forEach((v, i) => {
    const c = i === 0 ? -1 : (compareScalars(v, best) ?? 0) * sign;
    if (c < 0) best = v;
  });
  return typeof best === "number" ? finite(best) : best;
}

export function dayOf(v: Value): number | null {
  const s = single(v);
  return typeof s === "string" ? (parseMoment(s)?.day ?? null) : null;
}

function arithmetic(op: string, a: Value, b: Value): Value {
  if (op === "+" || op === "-") {
    const da = dayOf(a);
    const db = dayOf(b);
    if (da !== null && db !== null) return op === "-" ? da - db : null;
    if (da !== null) return shift(da, b, op === "-" ? -1 : 1);
    if (db !== null) return op === "+" ? shift(db, a, 1) : null;
  }
  const x = toNumber(a);
  const y = toNumber(b);
  if (x === null || y === null) return null;
  switch (op) {
    case "+":
      return finite(x + y);
    case "-":
      return finite(x - y);
    case "*":
      return finite(x * y);
    case "div":
      return finite(x / y);
  }
  return finite(x % y);
}

function shift(day: number, days: Value, sign: number): Value {
  const n = toNumber(days);
  if (n === null || Math.abs(n) > 4e6) return null;
  return formatDay(day + sign * Math.trunc(n));
}

function numeric(v: Value, f: (n: number) => number): Value {
  const n = toNumber(v);
  return n === null ? null : finite(f(n));
}

const tens = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

function round(args: Value[]): Value {
  const n = toNumber(args[0]);
  const places = args.length === 2 ? toNumber(args[1]) : 0;
  if (n === null || places === null) return null;
  const ten = tens[places];
  return ten === undefined ? null : finite(roundHalfUp(n * ten) / ten);
}

function toDate(value: Value): Value {
  const v = single(value);
  if (typeof v === "number") return shift(0, v, 1);
  const day = dayOf(v);
  return day === null ? null : formatDay(day);
}

function ageInYears(v: Value, at: Value): Value {
  const to = dayOf(at);
  if (to === null) return null;
  if (isObject(v)) return ageOn(v, to);
  const from = dayOf(v);
  return from === null ? null : yearsBetween(from, to);
}
