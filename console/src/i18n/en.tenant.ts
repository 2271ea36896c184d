/** The words of the tenant pages. Every key also stands in de.tenant.ts. */
export const enTenant = {} as const;
