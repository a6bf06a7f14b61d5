/** Something that the reader has done to the platform: what it says afterwards, and what is asked for again. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { useTexts } from "../texts/index.js";
import { wordsOf } from "./states.js";
import { toast } from "./toasts.js";

/** `done`: the words for the answer. `stale`: first members of the keys that it changes. */
export function useDoing<T, A = void>(work: (asked: A) => Promise<T>, done: (answer: T, asked: A) => string, stale: readonly string[]) {
  const cache = useQueryClient();
  const { t } = useTexts();
  return useMutation({
    mutationFn: work,
    onSuccess: (answer, asked) => {
      const words = done(answer, asked);
      if (words) {
        toast(words, "success");
      }
      return Promise.all(stale.map((name) => cache.invalidateQueries({ queryKey: [name] })));
    },
    onError: (error) => toast(wordsOf(error, t), "error"),
  });
}
