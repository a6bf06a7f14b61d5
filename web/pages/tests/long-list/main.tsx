/** A million numbered rows below a heading, drawn as the pages draw their long lists; for `tests/e2e/test_long_list.py`. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { useVirtual } from "../../src/parts/virtual.js";

function LongList({ rows, height }: { rows: number; height: number }) {
  const shown = useVirtual("numbers", rows, height);
  return (
    <div ref={shown.ref} id="list" style={{ height: shown.height }}>
      <div style={{ transform: `translateY(${shown.top}px)` }}>
        {Array.from({ length: shown.end - shown.start }, (_, index) => (
          <div key={shown.start + index} className="row" data-row={shown.start + index}>
            {shown.start + index}
          </div>
        ))}
      </div>
    </div>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <LongList rows={1_000_000} height={44} />
  </StrictMode>,
);
