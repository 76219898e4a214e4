// Runs jobs of the Go tests through the browser's form logic: JSON in on
// standard input, one result for each job out on standard output.

import { readFileSync } from "node:fs";
import {
  type Answers, applyChanges, check, checkPartial, type Description, diffAnswers, type Env, Evaluation, type Expr, type Lists, Model,
  newRow, placeAt, prefill, type Value,
} from "../../../web/app/src/forms/index";

interface Job {
  do: "expr" | "check" | "partial" | "apply" | "diff" | "prefill" | "row" | "place";
  tree?: Expr;
  scopes?: Answers[];
  index?: number;
  self?: Value;
  prev?: Value;
  answers?: Answers;
  next?: Answers;
  field?: string;
  strict?: boolean;
  deciding?: boolean;
  trusted?: boolean;
}

interface Input {
  now: string;
  known: Answers;
  forms: { description: Description; lists: Lists; jobs: Job[] }[];
}

const input = JSON.parse(readFileSync(0, "utf8")) as Input;

function run(model: Model, job: Job): unknown {
  const env: Env = {
    now: input.now, known: (path) => input.known[path], strict: job.strict, deciding: job.deciding, trusted: job.trusted,
  };
  const answers = job.answers ?? {};
  switch (job.do) {
    case "expr": {
      const ev = new Evaluation({ now: env.now, known: env.known, list: (id) => model.list(id) });
      Object.assign(ev, { scopes: job.scopes, index: job.index ?? 0, self: job.self, prev: job.prev });
      return job.tree ? { value: ev.value(job.tree) ?? null, spent: ev.spent } : null;
    }
    case "check":
    case "partial": {
      const { clean, problems } = (job.do === "check" ? check : checkPartial)(model, answers, env);
      return { clean, problems: problems.map((p) => [p.path, p.code]) };
    }
    case "apply":
      return applyChanges(model, answers, job.next ?? {});
    case "diff":
      return diffAnswers(model, answers, job.next ?? {});
    case "prefill":
      return prefill(model, env);
    case "place": {
      const p = placeAt(model, answers, job.field ?? "");
      return { field: model.fieldAt(job.field ?? "")?.path ?? null, depth: p?.scopes.length ?? 0, index: p?.index ?? 0, prefix: p?.prefix ?? "" };
    }
    case "row": {
      const field = model.field(job.field ?? "");
      return field ? newRow(model, field, env, "row-1") : null;
    }
  }
}

const results = input.forms.map(({ description, lists, jobs }) => {
  const model = new Model(description, lists);
  return jobs.map((job) => run(model, job));
});
process.stdout.write(JSON.stringify(results));
