export * from './business';
export * from './can';
export * from './client';
export * from './download';
export * from './queries';
export * from './types';
export * from './watch';
