/** The browser's own modal dialog: focus stays in it, Escape closes it. */

import { useEffect, useId, useRef, type ReactNode } from "react";

import { useTexts } from "../texts/index.js";
import { Icon } from "./icons.js";

export function Dialog({ title, close, children }: { title: string; close: () => void; children: ReactNode }) {
  const { t } = useTexts();
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={id} onCancel={close}>
      <div className="title-row">
        <h2 id={id}>{title}</h2>
        <button type="button" className="plain" aria-label={t.close} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}
