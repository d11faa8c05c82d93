import { Center, Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";
import { Explore } from "./explore/Explore";
import { LiveProvider } from "./live/useLive";
import { NotFound } from "./NotFound";
import { ExpiryPrompt } from "./session/ExpiryPrompt";
import { useSession } from "./session/useSession";
import { Shell } from "./Shell";

const DamPage = lazy(() => import("./dam/DamPage"));
const AddPage = lazy(() => import("./add/AddPage"));
const SignInPage = lazy(() => import("./session/SignInPage"));
const AdminPage = lazy(() => import("./admin/AdminPage"));

/** Pages by address. The gateway serves each of these with the same file. */
export function App() {
  const { generation } = useSession();
  return (
    <LiveProvider key={generation}>
      <Shell>
        <ExpiryPrompt />
        <Suspense fallback={<Loading />}>
          <Switch>
            <Route path="/" component={Explore} />
            <Route path="/dams/:damId">{({ damId }) => <DamPage key={damId} damId={Number(damId)} />}</Route>
            <Route path="/add" component={AddPage} />
            <Route path="/sign-in" component={SignInPage} />
            <Route path="/admin" component={AdminPage} />
            <Route component={NotFound} />
          </Switch>
        </Suspense>
      </Shell>
    </LiveProvider>
  );
}

function Loading() {
  return (
    <Center py="xl">
      <Loader aria-label="Loading" />
    </Center>
  );
}
