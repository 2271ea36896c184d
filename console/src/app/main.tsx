import '@fontsource-variable/inter/index.css';
import '@mantine/core/styles.css';
import './app.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { browserLocale, setLocale } from '../i18n';
import { router } from './router';
import { queryClient } from './session';
import { theme } from './theme';

const Toasts = lazy(() => import('./Toasts'));
const nonce = document.querySelector<HTMLStyleElement>('#brand')?.nonce ?? '';
setNonce(nonce);
void setLocale(browserLocale()).then(() =>
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
          <Suspense><Toasts /></Suspense>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  ),
);
