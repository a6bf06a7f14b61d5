/** Dead letters: records that could not be processed. They can be viewed, redriven, or marked as seen to. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import type { Letter } from "../answers.js";
import { api } from "../api.js";
import { deadLetter, deadLetters } from "../queries.js";
import { useTexts } from "../texts/index.js";
import { Dialog } from "./dialog.js";
import { useAction } from "./action.js";
import { Answer, Badge } from "./states.js";
import { Time } from "./time.js";

export function Letters() {
  const { t } = useTexts();
  const result = useQuery(deadLetters());
  const [open, setOpen] = useState<string>();
  return (
    <section className="card">
      <h2>{t.letters.title}</h2>
      <p className="note">{t.letters.help}</p>
      <Answer of={result}>
        {({ queues }) => {
          const waiting = queues.filter((queue) => queue.open > 0);
          if (waiting.length === 0) {
            return <p className="note">{t.letters.none}</p>;
          }
          return (
            <ul className="lines">
              {waiting.map((queue) => (
                <li key={queue.topic}>
                  <div>
                    <b>{queue.topic}</b> <Badge kind="warning">{t.letters.open(queue.open)}</Badge>
                    <p className="note">
                      {Object.entries(queue.errors)
                        .map(([name, count]) => `${count} × ${name}`)
                        .join(" · ")}
                      {queue.newest && (
                        <>
                          {" · "}
                          <Time at={queue.newest} />
                        </>
                      )}
                    </p>
                  </div>
                  <button
                    type="button"
                    className="quiet small"
                    aria-expanded={open === queue.topic}
                    onClick={() => setOpen(open === queue.topic ? undefined : queue.topic)}
                  >
                    {t.letters.show}
                  </button>
                  {open === queue.topic && <Queue topic={queue.topic} redriven={queue.redriven_here} />}
                </li>
              ))}
            </ul>
          );
        }}
      </Answer>
    </section>
  );
}

function Queue({ topic, redriven }: { topic: string; redriven: boolean }) {
  const result = useQuery(deadLetters(topic));
  return (
    <Answer of={result}>
      {({ letters }) => (
        <ul className="lines inner">
          {letters.map((letter) => (
            <LetterLine key={letter.offset} topic={topic} letter={letter} redriven={redriven} />
          ))}
        </ul>
      )}
    </Answer>
  );
}

function LetterLine({ topic, letter, redriven }: { topic: string; letter: Letter; redriven: boolean }) {
  const { t } = useTexts();
  const [looking, setLooking] = useState(false);
  const path = `dlq/${topic}/0/${letter.offset}`;
  const redrive = useAction(
    () => api<{ done: string; to: string; why: string }>(`${path}/redrive`, { method: "POST" }),
    ({ done, to, why }) => (done === "nothing" ? why : t.letters.redriven(to)),
    ["dlq"],
  );
  const discard = useAction(
    () => api(`${path}/discard`, { body: {} }),
    () => t.letters.discarded,
    ["dlq"],
  );
  return (
    <li>
      <div>
        <b>
          <bdi>{letter.error_type}</bdi>
        </b>
        <p className="note">
          <bdi>{letter.error}</bdi> · <Time at={letter.at} /> · {t.event.at(letter.partition ?? "?", letter.original_offset ?? "?")}
        </p>
      </div>
      <div className="actions">
        <button type="button" className="quiet small" onClick={() => setLooking(true)}>
          {t.letters.look}
        </button>
        {redriven && (
          <button type="button" className="quiet small" disabled={redrive.isPending} onClick={() => redrive.mutate()}>
            {t.letters.redrive}
          </button>
        )}
        <button type="button" className="quiet small" disabled={discard.isPending} onClick={() => discard.mutate()}>
          {t.letters.discard}
        </button>
      </div>
      {looking && <Whole topic={topic} offset={letter.offset} close={() => setLooking(false)} />}
    </li>
  );
}

function Whole({ topic, offset, close }: { topic: string; offset: number; close: () => void }) {
  const { t } = useTexts();
  const result = useQuery(deadLetter(topic, offset));
  return (
    <Dialog title={`${topic} ${offset}`} close={close}>
      <Answer of={result}>
        {({ letter, value }) => (
          <>
            <p>
              <b>{letter.error_type}</b>: <bdi>{letter.error}</bdi>
            </p>
            <textarea readOnly rows={12} aria-label={t.letters.value} value={value?.text ?? value?.b64 ?? t.letters.tombstone} />
            {letter.cut && <p className="note">{t.letters.cut}</p>}
          </>
        )}
      </Answer>
    </Dialog>
  );
}
