// The one way to the server. Errors keep their code, so that each caller can
// say what happened, what was kept and what to do next; a missing network is
// its own kind of error, never a failure of the work. Personal search terms
// travel in bodies only.
import { signal } from '@preact/signals';
import type { Problem } from './types.ts';

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly problems: Problem[] = []) {
    super(message);
  }
}

/** The server could not be reached; nothing is known about what it would have said. */
export class NoNetwork extends Error {}

/** False after a request did not get through, true after one did. */
export const reachable = signal(true);

export const hooks = {
  /** The session has ended: the app locks itself and asks to sign in again. */
  signedOut: () => {},
  /** The server asks who is there before it does this; true when the person has shown it. */
  stepUp: async (): Promise<boolean> => false,
};

const patience = 20_000;

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await ask(method, path, body);
  return (answer.status === 204 ? undefined : await read(answer)) as T;
}

/** A file, where a link will not do: the server may first ask who is there. */
export async function bytes(path: string): Promise<Blob> {
  return (await ask('GET', path)).blob();
}

async function ask(method: string, path: string, body?: unknown, again = false): Promise<Response> {
  const form = body instanceof FormData;
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: body === undefined || form ? {} : { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(form ? 10 * patience : patience),
    });
  } catch {
    reachable.value = false;
    throw new NoNetwork();
  }
  reachable.value = true;
  if (answer.ok) return answer;
  const error = await refusal(answer);
  if (answer.status === 401 && !path.startsWith('/api/sign-in') && path !== '/api/step-up') hooks.signedOut();
  if (answer.status === 403 && /step.?up/.test(error.code) && !again && (await hooks.stepUp())) {
    return ask(method, path, body, true);
  }
  throw error;
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path);
export const post = <T>(path: string, body: unknown = {}): Promise<T> => call<T>('POST', path, body);

async function read(answer: Response): Promise<unknown> {
  const text = await answer.text();
  return text === '' ? undefined : JSON.parse(text);
}

async function refusal(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as { error: { code: string; message: string; problems?: Problem[] } };
    return new ApiError(answer.status, error.code, error.message, error.problems ?? []);
  } catch {
    return new ApiError(answer.status, `http_${answer.status}`, '');
  }
}

/** Path parts are ids of ours, but nothing goes into an address unescaped. */
export function url(parts: TemplateStringsArray, ...values: (string | number | undefined)[]): string {
  return parts.reduce((all, part, i) => all + part + (i < values.length ? encodeURIComponent(String(values[i] ?? '')) : ''), '');
}
