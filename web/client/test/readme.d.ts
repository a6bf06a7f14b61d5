declare module "virtual:readme.tsx" {
  import type { ReactNode } from "react";
  import type { HotToast } from "@catalogizer/client";

  export function App(props: { toast: HotToast; children?: ReactNode }): ReactNode;
}
