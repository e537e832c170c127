// From a record's bytes to the user's function.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "weir/detail/export.hpp"
#include "weir/detail/sides.hpp"
#include "weir/record.hpp"

namespace weir::detail {

/// Of one input of a task.
class WEIR_EXPORT handler {
public:
  virtual ~handler() = default;
  /// False: the record does not decode, and `why` says what of it. What the
  /// user's code throws goes through.
  virtual bool call(const record& x, std::string& why) = 0;
};

/// Gets the record as it is.
template <class Fn>
class raw_handler final : public handler {
public:
  explicit raw_handler(Fn fn) : fn_(std::move(fn)) {}
  bool call(const record& x, std::string&) override {
    fn_(x);
    return true;
  }

private:
  Fn fn_;
};

template <class Fn, class Keys, class Values>
inline constexpr bool takes = false;
template <class Fn, class... Keys, class... Values>
inline constexpr bool takes<Fn, std::tuple<Keys...>, std::tuple<Values...>> =
    std::is_invocable_v<Fn&, Keys..., Values...>;

/// Whether `Fn` takes key and value in this form.
template <class Fn, class K, bool KeyView, class V, bool ValueView>
inline constexpr bool takes_form =
    takes<Fn, typename side_reader<K, KeyView>::args,
          typename side_reader<V, ValueView>::args>;

/// Gets the decoded sides, in objects that are kept from record to record.
template <class Fn, class Key, class Value>
class typed_handler final : public handler {
public:
  explicit typed_handler(Fn fn) : fn_(std::move(fn)) {}
  bool call(const record& x, std::string& why) override {
    if (!key_.read(x.key(), "key", why) ||
        !value_.read(x.value(), "value", why)) [[unlikely]]
      return false;
    std::apply(fn_, std::tuple_cat(key_.get(), value_.get()));
    return true;
  }

private:
  Fn fn_;
  Key key_;
  Value value_;
};

template <class Fn, class K, class V, bool KeyView, bool ValueView>
std::unique_ptr<handler> make_typed(Fn fn) {
  return std::make_unique<
      typed_handler<Fn, side_reader<K, KeyView>, side_reader<V, ValueView>>>(
      std::move(fn));
}

/// Text is given as a view of the record where the function takes one.
template <class K, class V, class Fn>
std::unique_ptr<handler> make_handler(Fn fn) {
  constexpr bool both_views = takes_form<Fn, K, true, V, true>;
  constexpr bool key_view = takes_form<Fn, K, true, V, false>;
  constexpr bool value_view = takes_form<Fn, K, false, V, true>;
  constexpr bool no_view = takes_form<Fn, K, false, V, false>;
  constexpr bool any = both_views || key_view || value_view || no_view;
  if constexpr (std::is_invocable_v<Fn&, const record&>) {
    return std::make_unique<raw_handler<Fn>>(std::move(fn));
  } else {
    static_assert(any || std::is_same_v<K, none>,
                  "the handler does not take what this topic holds: it is "
                  "called with (const Key&, const Value&) of the topic's own "
                  "types, or with (const weir::record&)");
    static_assert(any || !std::is_same_v<K, none>,
                  "the handler does not take what this topic holds: the topic "
                  "is declared without a key, so it is called with (const "
                  "Value&), or with (const weir::record&)");
    if constexpr (any)
      return make_typed < Fn, K, V, both_views || key_view,
             both_views || (!key_view && value_view) > (std::move(fn));
    else
      return nullptr;
  }
}

/// A member function of the task, as a function.
template <class Task, class Result, class... Args>
class member_call {
public:
  using member = Result (Task::*)(Args...);
  member_call(Task* task, member fn) : task_(task), fn_(fn) {}

  template <class... Xs>
  requires std::is_invocable_v<member, Task*, Xs...>
  void operator()(Xs&&... xs) const { (task_->*fn_)(std::forward<Xs>(xs)...); }

private:
  Task* task_;
  member fn_;
};

} // namespace weir::detail
