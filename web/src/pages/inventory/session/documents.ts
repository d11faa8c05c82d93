import { graphql } from "../../../gql";

graphql(`
  fragment Allowance on Viewer {
    canAddDams
    quota {
      maxDams
      used
      remaining
    }
  }
`);

export const VIEWER = graphql(`
  query Viewer {
    viewer {
      name
      permissions
      ...Allowance
    }
  }
`);

export const AUTHENTICATION = graphql(`
  query Authentication {
    authentication {
      password
      openIdProvider {
        issuer
        clientId
        scopes
      }
    }
  }
`);

export const USER_PROBLEM = graphql(`
  fragment UserProblem on UserError {
    code
    field
    message
  }
`);

export const SIGN_IN = graphql(`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      token
      expiresAt
      errors {
        ...UserProblem
      }
    }
  }
`);

export const SIGN_OUT = graphql(`
  mutation SignOut {
    signOut {
      signedOut
    }
  }
`);
