/** Tokens of machines: issuing one (it is shown once) and revoking it. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { api } from "../api.js";
import type { MachineToken } from "../answers.js";
import { tokens } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { Dialog } from "./dialog.js";
import { useAction } from "./action.js";
import { Field } from "./field.js";
import { EVERYTHING, rightsInWords, rightsOf, RightsFields } from "./rights.js";
import { Answer, Badge } from "./states.js";
import { Time } from "./time.js";
import { toast } from "./toasts.js";
import { valueOf } from "./words.js";

export function MachineTokens() {
  const { t } = useTexts();
  const result = useQuery(tokens);
  const [issuing, setIssuing] = useState(false);
  return (
    <section className="card">
      <div className="title-row">
        <h2>{t.admin.tokens}</h2>
        <button type="button" className="small" onClick={() => setIssuing(true)}>
          {t.admin.issue}
        </button>
      </div>
      <Answer of={result}>
        {(found) =>
          found.length === 0 ? (
            <p className="note">{t.admin.noTokens}</p>
          ) : (
            <ul className="lines">
              {found.map((token) => (
                <TokenLine key={token.name} token={token} />
              ))}
            </ul>
          )
        }
      </Answer>
      {issuing && <Issuing close={() => setIssuing(false)} />}
    </section>
  );
}

function TokenLine({ token }: { token: MachineToken }) {
  const { t } = useTexts();
  const [confirming, setConfirming] = useState(false);
  const revoke = useAction(
    () => api(`tokens/${encodeURIComponent(token.name)}`, { method: "DELETE" }),
    () => t.admin.revoked(token.name),
    ["tokens"],
  );
  return (
    <li>
      <div>
        <b>
          <bdi>{token.name}</bdi>
        </b>{" "}
        <Badge kind="info">{valueOf(token.role, t)}</Badge>
        <p className="note">
          <bdi>{rightsInWords(token.rights, t)}</bdi> · {t.admin.by(token.created_by)}
          {token.expires_at && (
            <>
              {" · "}
              {t.admin.until} <Time at={token.expires_at} as="moment" />
            </>
          )}
        </p>
      </div>
      <button type="button" className="quiet small" onClick={() => setConfirming(true)}>
        {t.admin.revoke}
      </button>
      {confirming && (
        <Dialog title={t.admin.revoke} close={() => setConfirming(false)}>
          <p>{t.admin.revokeQuestion(token.name)}</p>
          <div className="actions">
            <button type="button" className="quiet" onClick={() => setConfirming(false)}>
              {t.cancel}
            </button>
            <button type="button" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
              {t.admin.revoke}
            </button>
          </div>
        </Dialog>
      )}
    </li>
  );
}

function Issuing({ close }: { close: () => void }) {
  const { t } = useTexts();
  const [granted, setGranted] = useState(EVERYTHING);
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [issued, setIssued] = useState<string>();
  const issue = useAction(
    () => api<{ token: string }>("tokens", { body: { name, days: Number(days), role: granted.role, rights: rightsOf(granted) } }),
    ({ token }) => {
      setIssued(token);
      return "";
    },
    ["tokens"],
  );
  if (issued !== undefined) {
    return (
      <Dialog title={name} close={close}>
        <p>{t.admin.issued}</p>
        <textarea readOnly rows={4} value={issued} aria-label={t.admin.issued} onFocus={(event) => event.target.select()} />
        <div className="actions">
          <button type="button" onClick={() => void navigator.clipboard?.writeText(issued).then(() => toast(t.admin.copied, "success"))}>
            {t.admin.copy}
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t.admin.issue} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          issue.mutate();
        }}
      >
        <Field label={t.admin.name} value={name} required maxLength={64} onChange={(event) => setName(event.target.value)} />
        <Field label={t.admin.days} type="number" min={1} max={3_650} value={days} onChange={(event) => setDays(event.target.value)} />
        <RightsFields granted={granted} set={setGranted} />
        <div className="actions">
          <button type="button" className="quiet" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" disabled={issue.isPending}>
            {t.admin.issue}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
