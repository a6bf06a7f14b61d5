/**
 * Which rows of a long list are on the screen. The document scrolls as usual; it contains only the visible rows of the list and a
 * few around them, however long the list is.
 */

import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from "react";

export interface Shown {
  ref: RefObject<HTMLDivElement | null>;
  /** Rows [start, end) are to be drawn, `top` pixels below the list's own top. */
  start: number;
  end: number;
  top: number;
  height: number;
}

export function useVirtual(rows: number, rowHeight: number, around = 6): Shown {
  const ref = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ start: 0, end: 24 });
  const look = useCallback(() => {
    const list = ref.current;
    if (!list) {
      return;
    }
    const above = -list.getBoundingClientRect().top;
    const start = Math.max(0, Math.floor(above / rowHeight) - around);
    const end = Math.max(start, Math.ceil((above + innerHeight) / rowHeight) + around);
    setRange((before) => (before.start === start && before.end === end ? before : { start, end }));
  }, [rowHeight, around]);
  useLayoutEffect(look, [look, rows]);
  useLayoutEffect(() => {
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    const observer = new ResizeObserver(look); // content above the list may grow
    observer.observe(document.body);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
      observer.disconnect();
    };
  }, [look]);
  const start = Math.min(range.start, Math.max(0, rows - 1));
  const end = Math.min(range.end, rows);
  return { ref, start, end, top: start * rowHeight, height: rows * rowHeight };
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
