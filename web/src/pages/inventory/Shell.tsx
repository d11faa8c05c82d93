import {
  ActionIcon,
  Anchor,
  AppShell,
  Burger,
  Button,
  Drawer,
  Group,
  NavLink,
  Title,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMoon, IconSun, IconUser } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { AddedNotice } from "./live/AddedNotice";
import { LiveStatus } from "./live/LiveStatus";
import { SignInLink } from "./session/SignInLink";
import { useViewer } from "./session/useViewer";
import classes from "./Shell.module.css";

/** The header with the ways to all pages, and the page below it. */
export function Shell({ children }: { children: ReactNode }) {
  const [isOpen, { toggle, close }] = useDisclosure();
  const [location] = useLocation();
  const viewer = useViewer();
  const places = [
    { href: "/", label: "Map and list" },
    ...(viewer?.canAddDams ? [{ href: "/add", label: "Add a dam" }] : []),
    ...(viewer?.permissions.includes("manage_inventory") ? [{ href: "/admin", label: "Admin" }] : []),
  ];

  return (
    <AppShell header={{ height: 52 }}>
      <AppShell.Header px={{ base: "xs", xs: "md" }}>
        <Group h="100%" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="lg" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="md"
              size="sm"
              aria-label="Pages"
              aria-expanded={isOpen}
            />
            <Title order={1} size="h4" className={classes["title"] ?? ""}>
              <Anchor component={Link} href="/" inherit c="inherit" underline="never">
                Dam Inventory
              </Anchor>
            </Title>
            <Group
              component="nav"
              aria-label="Pages"
              gap="lg"
              visibleFrom="md"
              wrap="nowrap"
              className={classes["pages"] ?? ""}
            >
              {places.map(({ href, label }) => (
                <Link key={href} href={href} aria-current={href === location ? "page" : undefined}>
                  {label}
                </Link>
              ))}
              <a href="/graphiql">GraphiQL</a>
            </Group>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <LiveStatus />
            <SchemeSwitch />
            <Button
              component={SignInLink}
              variant="default"
              leftSection={<IconUser size={16} />}
              maw={170}
              classNames={{
                root: classes["user"] ?? "",
                section: classes["userIcon"] ?? "",
                label: classes["userName"] ?? "",
              }}
            >
              {viewer?.name ?? "Sign in"}
            </Button>
          </Group>
        </Group>
      </AppShell.Header>
      <Drawer opened={isOpen} onClose={close} title="Pages" size="xs" hiddenFrom="md">
        <nav aria-label="Pages">
          {places.map(({ href, label }) => (
            <NavLink component={Link} key={href} href={href} label={label} active={href === location} onClick={close} />
          ))}
          <NavLink href="/graphiql" label="GraphiQL" />
        </nav>
      </Drawer>
      <AppShell.Main>{children}</AppShell.Main>
      <AddedNotice />
    </AppShell>
  );
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme("light") === "dark";
  const label = isDark ? "Light colours" : "Dark colours";
  return (
    <ActionIcon
      variant="default"
      size={36}
      aria-label={label}
      title={label}
      onClick={() => {
        setColorScheme(isDark ? "light" : "dark");
      }}
    >
      {isDark ? <IconSun size={18} /> : <IconMoon size={18} />}
    </ActionIcon>
  );
}
