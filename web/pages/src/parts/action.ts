/** An action of the reader: a request, the toast that follows it, and the answers that are requested again afterwards. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { useTexts } from "../texts/index.js";
import { wordsOf } from "./states.js";
import { toast } from "./toasts.js";

/** `done`: the toast's text, empty for none. `stale`: the first members of the query keys that the action makes stale. */
export function useAction<T, A = void>(work: (input: A) => Promise<T>, done: (answer: T, input: A) => string, stale: readonly string[]) {
  const cache = useQueryClient();
  const { t } = useTexts();
  return useMutation({
    mutationFn: work,
    onSuccess: (answer, input) => {
      const text = done(answer, input);
      if (text) {
        toast(text, "success");
      }
      return Promise.all(stale.map((name) => cache.invalidateQueries({ queryKey: [name] })));
    },
    onError: (error) => toast(wordsOf(error, t), "error"),
  });
}
