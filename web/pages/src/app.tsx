/** Which page an address shows, and who may see it; the sign-in page while nobody is signed in. */

import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, type ComponentType } from "react";

import { ApiError } from "./api.js";
import { follow, followed, forget } from "./live.js";
import { AccountPage } from "./pages/account.js";
import { AdminPage } from "./pages/admin.js";
import { CataloguePage } from "./pages/catalogue.js";
import { HealthPage } from "./pages/health.js";
import { HistoryPage } from "./pages/history.js";
import { HomePage } from "./pages/home.js";
import { ItemPage } from "./pages/item.js";
import { LibrariesPage } from "./pages/libraries.js";
import { LivePage } from "./pages/live.js";
import { MorePage } from "./pages/more.js";
import { ReplayPage } from "./pages/replay.js";
import { SignInPage } from "./pages/sign-in.js";
import { Layout } from "./parts/layout.js";
import { Boundary } from "./parts/boundary.js";
import { Empty } from "./parts/states.js";
import { Toasts } from "./parts/toasts.js";
import { channels, useMay } from "./queries.js";
import { useRoute } from "./router.js";
import { useUser } from "./session.js";
import { useTexts, type Texts } from "./texts/index.js";

interface Place {
  page: ComponentType;
  title: keyof Texts["nav"];
  /** The permission that the account needs; without it the page shows that it may not be seen. */
  needs?: string;
}

const PLACES: Record<string, Place> = {
  "": { page: HomePage, title: "home" },
  catalogue: { page: CataloguePage, title: "catalogue" },
  item: { page: ItemPage, title: "catalogue" },
  live: { page: LivePage, title: "live" },
  replay: { page: ReplayPage, title: "replay" },
  history: { page: HistoryPage, title: "history" },
  libraries: { page: LibrariesPage, title: "libraries" },
  health: { page: HealthPage, title: "health" },
  admin: { page: AdminPage, title: "admin", needs: "write:notifications" },
  account: { page: AccountPage, title: "account" },
  more: { page: MorePage, title: "more" },
};

const RETRIES = 2;

function newCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always", // the server may be on this machine
        refetchOnReconnect: true,
        staleTime: 5_000,
        retry: (count, error) => count < RETRIES && error instanceof ApiError && (error.status === 0 || error.status === 503),
      },
      mutations: { networkMode: "always" },
    },
  });
}

export function App() {
  const user = useUser();
  const cache = useMemo(newCache, [user]); // one user's answers must not be shown to the next
  return (
    <QueryClientProvider client={cache}>
      {user === undefined ? <SignInPage /> : <SignedIn key={user} cache={cache} />}
      <Toasts />
    </QueryClientProvider>
  );
}

function SignedIn({ cache }: { cache: QueryClient }) {
  const known = useQuery(channels).data;
  const names = known && followed(known).join(" ");
  useEffect(() => (names === undefined ? undefined : follow(cache, names.split(" ").filter(Boolean))), [cache, names]);
  useEffect(() => forget, []);
  return (
    <Layout>
      <Guarded />
    </Layout>
  );
}

/** An error in one page does not break the others: each address has its own boundary. */
function Guarded() {
  const { t } = useTexts();
  const { page, rest } = useRoute();
  return (
    <Boundary key={[page, ...rest].join("/")} words={t.state.broken} again={t.state.again}>
      <Current />
    </Boundary>
  );
}

function Current() {
  const { t } = useTexts();
  const { page } = useRoute();
  const may = useMay();
  const place = PLACES[page];
  useEffect(() => {
    document.title = place && page !== "" ? `${t.nav[place.title]} – ${t.name}` : t.name;
    return () => void (document.title = t.name);
  }, [t, place, page]);
  if (!place) {
    return <h1>{t.state.absent}</h1>;
  }
  if (place.needs && !may(place.needs)) {
    return (
      <>
        <h1>{t.nav[place.title]}</h1>
        <Empty>{t.state.forbidden}</Empty>
      </>
    );
  }
  return <place.page />;
}
