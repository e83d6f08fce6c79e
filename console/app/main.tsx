import '@mantine/core/styles.css';
import '../theme/tokens.css';
import '../theme/console.css';
import '../theme/tables.css';
import '../theme/pieces.css';
import '../theme/rules.css';
import { MantineProvider } from '@mantine/core';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from '../api/client.ts';
import { sessionQuery } from '../api/queries.ts';
import { theme } from '../theme/theme.ts';
import { App } from './app.tsx';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="nonce"]')?.content ?? '';
// Read by the package that locks scrolling behind dialogs.
Object.assign(globalThis, { __webpack_nonce__: nonce });

/** A session that has ended leads to the sign-in page, and from there back. */
function noticeEnd(error: Error): void {
  if (error instanceof ApiError && error.status === 401) client.setQueryData(sessionQuery.queryKey, null);
}

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEnd }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the server refused, it would refuse again.
      retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
