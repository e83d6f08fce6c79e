import { useQuery } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { sessionQuery } from '../api/queries.ts';
import { LiveProvider } from '../frame/live.tsx';
import { ChangePasswordPage, SignInPage } from '../frame/sign-in.tsx';
import { Toasts } from '../parts/act.tsx';
import { Failed } from '../parts/page.tsx';
import { Clock } from '../parts/time.tsx';
import { router } from './router.tsx';

/** Nothing is shown to whoever is not signed in; the address stays, so that signing in leads there. */
export function App() {
  const { data: session, error, refetch } = useQuery(sessionQuery);
  if (session === undefined) {
    return error ? (
      <div className="sign-in">
        <main>
          <Failed error={error} again={() => void refetch()} />
        </main>
      </div>
    ) : null;
  }
  if (session === null) return <SignInPage />;
  if (session.mustChangePassword) return <ChangePasswordPage session={session} />;
  return (
    <LiveProvider>
      <Clock>
        <Toasts>
          <RouterProvider router={router} />
        </Toasts>
      </Clock>
    </LiveProvider>
  );
}
