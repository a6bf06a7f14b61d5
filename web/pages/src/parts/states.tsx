/** Placeholders for content that is not there: loading, empty, failed, forbidden. */

import type { ReactNode } from "react";

import { ApiError } from "../api.js";
import { useTexts } from "../texts/index.js";

export function Loading() {
  const { t } = useTexts();
  return (
    <p className="note loading" role="status">
      {t.state.loading}
    </p>
  );
}

export function Empty({ children, help }: { children: ReactNode; help?: string | undefined }) {
  return (
    <div className="empty">
      <p>{children}</p>
      {help && <p className="note">{help}</p>}
    </div>
  );
}

export function Failed({ error, again }: { error: unknown; again?: (() => unknown) | undefined }) {
  const { t } = useTexts();
  return (
    <div className="empty failed" role="alert">
      <p>{wordsOf(error, t)}</p>
      {again && (
        <button type="button" className="quiet" onClick={() => void again()}>
          {t.state.again}
        </button>
      )}
    </div>
  );
}

export function wordsOf(error: unknown, t: ReturnType<typeof useTexts>["t"]): string {
  if (!(error instanceof ApiError)) {
    return error instanceof Error ? error.message : t.state.failed;
  }
  switch (error.status) {
    case 0:
      return t.state.unreachable;
    case 403:
      return t.state.forbidden;
    case 503:
      return t.state.failed;
    default:
      return error.message || t.state.failed;
  }
}

interface QueryResult<T> {
  data: T | undefined;
  error: Error | null;
  refetch: () => unknown;
}

/** The result of a query, or a placeholder. Earlier data stays visible if a later request fails. */
export function Answer<T>({ of, children }: { of: QueryResult<T>; children: (data: T) => ReactNode }) {
  if (of.data !== undefined) {
    return children(of.data);
  }
  return of.error ? <Failed error={of.error} again={of.refetch} /> : <Loading />;
}

/** A state, as a word on a colour. */
export function Badge({ kind, children }: { kind: string; children: ReactNode }) {
  return (
    <span className="badge" data-kind={kind}>
      {children}
    </span>
  );
}
