// Makes librdkafka's threads and locks visible to the thread sanitizer.
// librdkafka uses the C11 names (thrd_create, mtx_lock, ...), which GCC 12's
// libtsan does not intercept: a thread made with them is unknown to it and
// crashes in its first allocation. These definitions take precedence over the C
// library's and use the POSIX functions, which libtsan does intercept.
// Only in the tsan preset, in every test program.

#include <cerrno>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <threads.h>

namespace {

// glibc gives both families the same representation.
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t));
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t));
static_assert(sizeof(thrd_t) == sizeof(pthread_t));
static_assert(sizeof(once_flag) == sizeof(pthread_once_t));

pthread_mutex_t* posix(mtx_t* x) {
  return reinterpret_cast<pthread_mutex_t*>(x);
}

pthread_cond_t* posix(cnd_t* x) {
  return reinterpret_cast<pthread_cond_t*>(x);
}

int result(int error) {
  switch (error) {
  case 0:
    return thrd_success;
  case EBUSY:
    return thrd_busy;
  case ENOMEM:
    return thrd_nomem;
  case ETIMEDOUT:
    return thrd_timedout;
  default:
    return thrd_error;
  }
}

struct start {
  thrd_start_t function;
  void* argument;
};

void* run(void* raw) {
  start what = *std::unique_ptr<start>(static_cast<start*>(raw));
  return reinterpret_cast<void*>(
      static_cast<std::intptr_t>(what.function(what.argument)));
}

} // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto what = std::make_unique<start>(start{function, argument});
  int got = pthread_create(thread, nullptr, run, what.get());
  if (got == 0)
    what.release();
  return result(got);
}

int thrd_join(thrd_t thread, int* exit_code) {
  void* got = nullptr;
  int error = pthread_join(thread, &got);
  if (exit_code != nullptr)
    *exit_code = static_cast<int>(reinterpret_cast<std::intptr_t>(got));
  return result(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0)
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  int error = pthread_mutex_init(posix(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return result(error);
}

void mtx_destroy(mtx_t* mutex) {
  pthread_mutex_destroy(posix(mutex));
}

int mtx_lock(mtx_t* mutex) {
  return result(pthread_mutex_lock(posix(mutex)));
}

int mtx_unlock(mtx_t* mutex) {
  return result(pthread_mutex_unlock(posix(mutex)));
}

int cnd_init(cnd_t* condition) {
  return result(pthread_cond_init(posix(condition), nullptr));
}

void cnd_destroy(cnd_t* condition) {
  pthread_cond_destroy(posix(condition));
}

int cnd_signal(cnd_t* condition) {
  return result(pthread_cond_signal(posix(condition)));
}

int cnd_broadcast(cnd_t* condition) {
  return result(pthread_cond_broadcast(posix(condition)));
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return result(pthread_cond_wait(posix(condition), posix(mutex)));
}

int cnd_timedwait(cnd_t* __restrict condition, mtx_t* __restrict mutex,
                  const timespec* __restrict until) {
  return result(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}

void call_once(once_flag* flag, void (*function)()) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}
}
