/**
 * Which rows of a long list are on the screen. The document scrolls as usual; it contains only the visible rows of the list and a
 * few around them, however long the list is.
 *
 * No browser draws an element of any height (Firefox: 17.9 million pixels, Chromium and Safari: 33.5 million). So the element of a
 * very long list stands for a stretch of its rows: when its reader nears one of the stretch's ends, the stretch moves by half of
 * itself, and the document is scrolled back by as much, so that the same rows stay where they are.
 */

import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState, type RefObject } from "react";
import { flushSync } from "react-dom";

/** Below every browser's limit, and exact to a quarter of a pixel where positions are floats of 32 bits. */
const STRETCH_PX = 4_000_000;

export interface Shown {
  ref: RefObject<HTMLDivElement | null>;
  /** Rows [start, end) are to be drawn, `top` pixels below the list's own top. */
  start: number;
  end: number;
  top: number;
  height: number;
}

const firsts = new Map<string, number>(); // the first row of a list's stretch, where it has moved

/** `name`: of the list. Its stretch is remembered under it, so that a scroll position can be restored on return. */
export function useVirtual(name: string, rows: number, rowHeight: number, around = 6): Shown {
  const ref = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ start: 0, end: 24 });
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  const half = Math.ceil(STRETCH_PX / 2 / rowHeight);
  const first = Math.min(firsts.get(name) ?? 0, Math.max(0, rows - half));
  const last = Math.min(rows, first + 2 * half);
  const now = useRef({ name, rows, rowHeight, around, half, first, last });
  now.current = { name, rows, rowHeight, around, half, first, last };

  const look = useCallback(() => {
    const list = ref.current;
    if (!list) {
      return;
    }
    const { first, rowHeight, around } = now.current;
    const above = -list.getBoundingClientRect().top;
    const start = Math.max(0, first + Math.floor(above / rowHeight) - around);
    const end = Math.max(start, first + Math.ceil((above + innerHeight) / rowHeight) + around);
    setRange((before) => (before.start === start && before.end === end ? before : { start, end }));
  }, []);

  const begin = useCallback(
    (row: number, scrolledTo: number): void => {
      const { name, rows, half } = now.current;
      const first = Math.max(0, Math.min(row, rows - half));
      if (first === 0) {
        firsts.delete(name);
      } else {
        firsts.set(name, first);
      }
      flushSync(redraw); // what is drawn and how far it is scrolled change together
      scrollTo(0, scrolledTo);
      look();
    },
    [look],
  );

  const goOn = useCallback((): boolean => {
    const { rows, rowHeight, half, first, last } = now.current;
    const bottom = ref.current?.getBoundingClientRect().bottom ?? Infinity;
    if (last === rows || bottom - innerHeight >= (half * rowHeight) / 4) {
      return false;
    }
    begin(first + half, scrollY - half * rowHeight);
    return true;
  }, [begin]);

  useLayoutEffect(look, [look, name, rows, rowHeight]);
  useEffect(() => {
    const frame = requestAnimationFrame(goOn); // who waits at the end for more rows does not scroll when they come
    return () => cancelAnimationFrame(frame);
  }, [goOn, rows]);
  useLayoutEffect(() => {
    const scrolled = (): void => {
      const list = ref.current;
      if (!list) {
        return;
      }
      const { rowHeight, half, first } = now.current;
      if (first > 0 && scrollY === 0) {
        begin(0, 0); // dragged there
      } else if (first > 0 && -list.getBoundingClientRect().top < (half * rowHeight) / 4) {
        const before = Math.max(0, first - half);
        begin(before, scrollY + (first - before) * rowHeight);
      } else if (!goOn()) {
        look();
      }
    };
    const pressed = (event: KeyboardEvent): void => {
      const { rows, half } = now.current;
      if (rows <= 2 * half || event.defaultPrevented || event.altKey || event.shiftKey || event.metaKey || isField(event.target)) {
        return;
      }
      if (event.key === "Home") {
        event.preventDefault();
        begin(0, 0);
      } else if (event.key === "End") {
        event.preventDefault();
        begin(rows - 2 * half, Number.MAX_SAFE_INTEGER);
      }
    };
    addEventListener("scroll", scrolled, { passive: true });
    addEventListener("keydown", pressed);
    addEventListener("resize", look);
    const observer = new ResizeObserver(look); // content above the list may grow
    observer.observe(document.body);
    return () => {
      removeEventListener("scroll", scrolled);
      removeEventListener("keydown", pressed);
      removeEventListener("resize", look);
      observer.disconnect();
    };
  }, [look, begin, goOn]);
  const start = Math.max(first, Math.min(range.start, Math.max(first, last - 1)));
  const end = Math.max(start, Math.min(range.end, last));
  return { ref, start, end, top: (start - first) * rowHeight, height: (last - first) * rowHeight };
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, select, textarea, [contenteditable]") !== null;
}

const widths = new Map<string, number>();

/** The width of an element in CSS pixels; before it is known, the last width under this `name`, or 0. */
export function useWidth(ref: RefObject<HTMLElement | null>, name: string): number {
  const [width, setWidth] = useState(() => widths.get(name) ?? 0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) {
      return undefined;
    }
    const look = (): void => {
      widths.set(name, element.clientWidth);
      setWidth(element.clientWidth);
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref, name]);
  return width;
}
