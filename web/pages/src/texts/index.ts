/** The language of the pages: the browser's if there are texts for it, unless the reader has chosen one. */

import { useSyncExternalStore } from "react";

import { de } from "./de.js";
import { en, type Texts } from "./en.js";

export type { Texts } from "./en.js";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const TEXTS: Record<Language, Texts> = { en, de };
const KEY = "catalogizer.language";
const listeners = new Set<() => void>();

let language: Language = chosen();

function chosen(): Language {
  const kept = localStorage.getItem(KEY);
  const wanted = [kept, ...navigator.languages].map((name) => name?.slice(0, 2));
  return (wanted.find((name) => name !== undefined && name in TEXTS) as Language | undefined) ?? "en";
}

function applyLanguage(): void {
  document.documentElement.lang = language;
}
applyLanguage();

export function setLanguage(name: Language): void {
  language = name;
  localStorage.setItem(KEY, name);
  applyLanguage();
  listeners.forEach((listener) => listener());
}

export function useLanguage(): Language {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => language,
  );
}

/** The texts, and the language in which numbers and times are formatted. */
export function useTexts(): { t: Texts; language: string } {
  const name = useLanguage();
  // the reader's own region, if it uses that language: 24 or 12 hours, day or month first
  const region = navigator.languages.find((one) => one.startsWith(name)) ?? name;
  return { t: TEXTS[name], language: region };
}
