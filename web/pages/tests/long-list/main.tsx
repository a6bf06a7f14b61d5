/**
 * Numbered rows below a heading, drawn as the pages draw their long lists; for `tests/e2e/test_long_list.py`. A million of them; with
 * `?rows=N` so many, and 60 more whenever the last ones are drawn.
 */

import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

import { useVirtual } from "../../src/parts/virtual.js";

const START = new URLSearchParams(location.search).get("rows");

function LongList({ height }: { height: number }) {
  const [rows, setRows] = useState(Number(START ?? 1_000_000));
  const shown = useVirtual("numbers", rows, height);
  useEffect(() => {
    const timer = START !== null && shown.end === rows ? setTimeout(() => setRows(rows + 60), 30) : 0;
    return () => clearTimeout(timer);
  }, [shown.end, rows]);
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
    <LongList height={44} />
  </StrictMode>,
);
