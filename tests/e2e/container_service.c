// A service for images that hold nothing else: good by default, bad in the way that BEHAVIOUR names.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile char ballast[8 << 20];

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

static void end(int number) {
  (void)number;
  _exit(0);
}

static int reaches_network(void) {
  struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = inet_addr("192.0.2.1")};
  int channel = socket(AF_INET, SOCK_DGRAM, 0);
  int reached = connect(channel, (struct sockaddr *)&out, sizeof out) == 0;
  close(channel);
  return reached;
}

static void answer(int peer, int status, const char *body) {
  char text[512];
  int length = snprintf(text, sizeof text, "HTTP/1.1 %d Word\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status, strlen(body), body);
  if (write(peer, text, (size_t)length) != length) perror("write");
}

static void serve(int peer) {
  char request[2048] = "";
  if (read(peer, request, sizeof request - 1) <= 0) return;
  int ill = strcmp(setting("BEHAVIOUR"), "never-healthy") == 0;
  if (strncmp(request, "GET /healthz ", 13) == 0) {
    answer(peer, ill ? 503 : 200, "ok");
  } else if (strncmp(request, "GET /die ", 9) == 0) {
    _exit(3);
  } else if (strncmp(request, "GET /leak ", 10) == 0) {
    for (;;) memset(malloc(1 << 20), 1, 1 << 20);
  } else if (strncmp(request, "GET /network ", 13) == 0) {
    answer(peer, 200, reaches_network() ? "reached" : "none");
  } else if (strncmp(request, "GET /write ", 11) == 0) {
    FILE *file = fopen("/written", "w");
    answer(peer, 200, file == NULL ? "refused" : "written");
  } else {
    answer(peer, 200, setting("VERSION"));
  }
}

int main(void) {
  for (size_t at = 0; at < sizeof ballast; at += 512) ballast[at] = 1;  // so that there is something to measure
  printf("\033[31mstarting\033[0m %s\n", setting("VERSION"));
  fflush(stdout);
  if (strcmp(setting("BEHAVIOUR"), "exit") == 0) {
    fprintf(stderr, "I will not\n");
    return 1;
  }
  if (strcmp(setting("BEHAVIOUR"), "ignores-term") != 0) signal(SIGTERM, end);
  int one = 1;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in here = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(setting("PORT"))), .sin_addr.s_addr = inet_addr(setting("HOST"))};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 128) != 0) {
    perror("listen");
    return 1;
  }
  for (;;) {
    int peer = accept(listener, NULL, NULL);
    serve(peer);
    close(peer);
  }
}
